export interface Instruction {
  /** In capitals. */
  readonly name: string;
  /** Everything behind the name, on one line. */
  readonly rest: string;
}

/** The instructions of a Dockerfile, without comments and with their continued lines joined. */
export function parseDockerfile(text: string): readonly Instruction[] {
  return text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n')
    .replace(/\s*\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => {
      const [, name = '', rest = ''] = /^\s*(\S+)\s+(.*?)\s*$/.exec(line) ?? [];
      return { name: name.toUpperCase(), rest };
    });
}
