// JSONata's syntax tree as far as this room reads it, and one way to walk it.

export interface SyntaxNode {
  readonly type?: string;
  value?: unknown;
  /** Offset behind the token in the source. */
  readonly position?: number;
  readonly lhs?: unknown;
  readonly rhs?: unknown;
  readonly procedure?: SyntaxNode;
  readonly arguments?: readonly SyntaxNode[];
  readonly steps?: readonly SyntaxNode[];
  readonly focus?: string;
  readonly index?: string;
}

/** Calls `visit` once for each node. */
export function walkSyntax(root: unknown, visit: (node: SyntaxNode) => void): void {
  const seen = new Set<unknown>();
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const item = waiting.pop();
    if (typeof item !== 'object' || item === null || item instanceof RegExp || seen.has(item)) {
      continue;
    }
    seen.add(item);
    if (!Array.isArray(item)) visit(item);
    waiting.push(...Object.values(item).reverse());
  }
}
