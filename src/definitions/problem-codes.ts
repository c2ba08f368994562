// Every code that a Problem of this room can carry, for docs/errors.md and for the type below.

/** What a code means, and what the person who sees it does about it. */
export interface ProblemCodeEntry {
  readonly meaning: string;
  readonly todo: string;
}

const entries = {
  'file-unreadable': {
    meaning: 'The file or folder could not be read.',
    todo: 'Check that it exists, is an ordinary file, and that the hub may read it.',
  },
  'file-too-large': {
    meaning: 'The file is larger than 1 MiB.',
    todo: 'Split it, or cut sample data down to what the test needs.',
  },
  'file-outside-folder': {
    meaning: 'The path or the symbolic link leads out of the project folder.',
    todo: 'Copy the file into the project folder.',
  },
  'file-not-utf8': {
    meaning: 'The file is not UTF-8 text.',
    todo: 'Save it as UTF-8.',
  },
  'too-many-files': {
    meaning: 'One folder holds more than 2,000 files.',
    todo: 'Remove what does not belong there; sample data may stand in sub-folders.',
  },
  'wrong-file-name': {
    meaning: 'The name would not be picked up: wrong extension, or a base name that is no id.',
    todo: 'Rename it as the hint says; base names are [a-z][a-z0-9-]*.',
  },
  'unexpected-file': {
    meaning:
      'A file that is no definition and that no test refers to, or a folder called like one.',
    todo: 'Move it out of the folder (sub-folders are free), or refer to it from a test.',
  },
  'no-definitions': {
    meaning: 'The project folder has no connectors.',
    todo: 'Set CROSSDOCK_DIR to the folder that holds connectors/ and flows/.',
  },
  'yaml-syntax': {
    meaning: 'The file is not YAML 1.2, or uses a tag that is not part of its core.',
    todo: 'Correct the line; quote values that begin with {, [, *, &, !, %, @ or contain ": ".',
  },
  'yaml-too-complex': {
    meaning: 'The file is nested too deeply or repeats aliases too often.',
    todo: 'Write it flatter, with fewer aliases.',
  },
  'duplicate-key': {
    meaning: 'The same key stands twice in one mapping.',
    todo: 'Keep one of the two.',
  },
  'json-syntax': {
    meaning: 'A file in schemas/ is not JSON.',
    todo: 'Correct it at the position named.',
  },
  'schema-invalid': {
    meaning: 'A file in schemas/ is not a JSON Schema of draft 2020-12 or draft-07, read strictly.',
    todo: 'Correct the keyword or format that the message names.',
  },
  'variable-unset': {
    meaning: 'An environment variable without a default is not set, or is empty.',
    todo: `Set it, or write a default: \${NAME:default}; \${NAME:} allows it to be empty.`,
  },
  'variable-malformed': {
    meaning: 'Text begins like a variable but is none.',
    todo: `Write \${NAME} or \${NAME:default}; write $\${ for a plain \${.`,
  },
  'variable-in-expression': {
    meaning: 'A JSONata expression holds what looks like a variable; expressions take none.',
    todo: 'Write the value into the expression, or compare with a field of the event.',
  },
  'unknown-field': {
    meaning: 'A field that does not exist here.',
    todo: 'Correct its name or its indentation.',
  },
  'missing-field': {
    meaning: 'A field that must be given is not.',
    todo: 'Add it.',
  },
  'wrong-type': {
    meaning: 'A value of the wrong type, such as a list where text is expected.',
    todo: 'Write the type that the message names.',
  },
  'wrong-value': {
    meaning: 'A value of the right type that is not allowed here.',
    todo: 'Take one of those that the message names.',
  },
  'unknown-catalogue-entry': {
    meaning: '`uses` names no entry of the catalogue.',
    todo: 'Correct the name, or describe the system with `kind` and `receive`.',
  },
  'unknown-setting': {
    meaning: 'A setting that the catalogue entry does not have.',
    todo: 'Correct its name; the hint lists those it has.',
  },
  'missing-setting': {
    meaning: 'A setting that the catalogue entry requires is missing or empty.',
    todo: 'Add it under `settings`.',
  },
  'secret-in-clear': {
    meaning:
      'A secret is written into the file: a secret field, or a header whose name says that it is one.',
    todo: `Put it into an environment variable, write \${NAME} here, and replace the secret.`,
  },
  'secret-missing': {
    meaning: 'A connector verifies signatures but ends up without a secret to do it with.',
    todo: 'Set at least one of its `secrets`.',
  },
  'unverified-receiver': {
    meaning: 'A connector takes webhooks from anybody (`verify: none`).',
    todo: 'Use the signature that the sender offers; otherwise guard the address in front of the hub.',
  },
  'unknown-connector': {
    meaning: 'A flow or a test names a connector that does not exist.',
    todo: 'Correct the name, or add the file to connectors/.',
  },
  'unknown-operation': {
    meaning:
      'A flow, a lookup, a test or `check` names an operation that the connector does not have.',
    todo: 'Correct the name, or add the operation to the connector.',
  },
  'unknown-mapping': {
    meaning: '`map` names no file of mappings/.',
    todo: 'Correct the name, or add the file.',
  },
  'unknown-schema': {
    meaning: '`validate` names no file of schemas/.',
    todo: 'Correct the name, or add the file.',
  },
  'unknown-topic': {
    meaning: 'A flow waits for a topic that its connector can never bring.',
    todo: 'Correct the topic, give the connector a `receive`, or let a flow emit the topic.',
  },
  'emit-loop': {
    meaning: 'A flow emits an event that leads back to the same flow.',
    todo: 'Break the circle: emit another topic, or listen to another one.',
  },
  'unused-file': {
    meaning: 'No flow uses the file.',
    todo: 'Use it or delete it.',
  },
  untested: {
    meaning: 'A mapping or flow has no .test.yaml beside it.',
    todo: 'Add one; docs/mappings.md shows the form.',
  },
  'reserved-name': {
    meaning: 'The name "crossdock" is used for something of yours; it is the hub itself.',
    todo: 'Take another name. Flows may only listen to it; docs/alerts.md shows how.',
  },
  'orphan-test': {
    meaning: 'A test file stands beside nothing of its name.',
    todo: 'Rename it after what it tests, or delete it.',
  },
} as const satisfies Record<string, ProblemCodeEntry>;

/** A code of this room; kinds and the expression checker bring codes of their own. */
export type ProblemCode = keyof typeof entries;

/** One entry for each code; docs/errors.md says the same. */
export const problemCodes: Readonly<Record<string, ProblemCodeEntry>> = entries;
