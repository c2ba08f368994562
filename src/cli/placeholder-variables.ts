import { readFolder } from '../definitions/read-folder.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The environment with a value for every variable that the connectors need and nobody has set, so
 * that a command runs that calls none of them. The values are told by the variables' names: an
 * address, a port, a mailbox. What the connector `except` needs has to be set.
 */
export async function withPlaceholders(
  project: string,
  variables: Variables,
  except?: string,
): Promise<Variables> {
  const { files } = await readFolder({ project, name: 'connectors', extensions: ['.yaml'] });
  const needed = new Set(files.flatMap(({ text }) => variablesOf(text)));
  for (const name of variablesOf(files.find(({ id }) => id === except)?.text ?? '')) {
    needed.delete(name);
  }
  const unset = [...needed].filter((name) => !variables[name]);
  return { ...variables, ...Object.fromEntries(unset.map((name) => [name, placeholderFor(name)])) };
}

/** Names of the variables that have no default. */
function variablesOf(text: string): readonly string[] {
  const matches = text.matchAll(/(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g);
  return [...matches].map(([, name = '']) => name);
}

/** Names under `.invalid` lead nowhere (RFC 6761 §6.4). */
function placeholderFor(name: string): string {
  const label = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  if (/(^|_)(URL|URI|ENDPOINT)$/i.test(name)) return `http://${label}.invalid`;
  if (/(^|_)HOST(NAME)?$/i.test(name)) return `${label}.invalid`;
  if (/(^|_)PORT$/i.test(name)) return '2525';
  if (/(^|_)(E?MAIL|FROM|SENDER|TO|RECIPIENT)$/i.test(name)) return `${label}@test.invalid`;
  return `test-${name}`;
}
