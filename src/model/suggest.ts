/** `did you mean "baseUrl"?` for the nearest of `candidates`, or `undefined` if none is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const nearest = nearestWord(word, candidates);
  return nearest === undefined ? undefined : `did you mean "${nearest}"?`;
}

/** As `didYouMean`; where nothing is near, says what there is: `known here: a, b, c`. */
export function didYouMeanOrKnown(word: string, candidates: Iterable<string>): string | undefined {
  const known = [...new Set(candidates)].sort();
  const suggestion = didYouMean(word, known);
  if (suggestion !== undefined || known.length === 0) return suggestion;
  const shown = known.slice(0, KNOWN_SHOWN_MAX);
  return `known here: ${shown.join(', ')}${known.length > shown.length ? ', …' : ''}`;
}

const KNOWN_SHOWN_MAX = 15;
const WORD_LENGTH_MAX = 100;

/** The candidate that is at most a third of `word` away from it. */
export function nearestWord(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.slice(0, WORD_LENGTH_MAX).toLowerCase();
  let nearest: string | undefined;
  let nearestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.slice(0, WORD_LENGTH_MAX).toLowerCase());
    if (distance < nearestDistance) {
      nearest = candidate;
      nearestDistance = distance;
    }
  }
  return nearest;
}

/** Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours. */
function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const at = (rowsUp: number, columnsLeft: number) =>
        (rowsUp === 0 ? current : rows[row - rowsUp])?.[column - columnsLeft] ?? 0;
      const isSame = left[row - 1] === right[column - 1];
      const isSwap =
        left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1] && row > 1;
      const cheapest = Math.min(at(1, 1) + Number(!isSame), at(1, 0) + 1, at(0, 1) + 1);
      current.push(isSwap ? Math.min(cheapest, at(2, 2) + 1) : cheapest);
    }
    rows.push(current);
  }
  return rows[left.length]?.[right.length] ?? 0;
}
