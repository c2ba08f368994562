// Projects for tests of the definitions: written to a folder of their own, loaded with one small
// kind that stands for the real ones.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/config/package-root.ts';
import type { KindSchema } from '../../src/definitions/definitions.ts';
import {
  type LoadOptions,
  type LoadResult,
  loadDefinitions,
} from '../../src/definitions/load-definitions.ts';
import { formatProblem } from '../../src/model/problem.ts';

/** A kind with a number, a secret, a choice and a check of its own. */
export const webKind: KindSchema = {
  kind: 'web',
  connectorSchema: {
    type: 'object',
    properties: {
      baseUrl: { type: 'string', pattern: '^https?://', description: 'Where it is.' },
      port: { type: 'integer', minimum: 1, maximum: 65_535, description: 'The port.' },
      auth: {
        description: 'How to sign in.',
        oneOf: [
          {
            type: 'object',
            properties: { bearer: { type: 'string', minLength: 1, description: 'A token.' } },
            required: ['bearer'],
            additionalProperties: false,
          },
          {
            type: 'object',
            properties: {
              basic: {
                type: 'object',
                description: 'A name and a password.',
                properties: {
                  user: { type: 'string', description: 'The name.' },
                  password: { type: 'string', description: 'The password.' },
                },
                required: ['user', 'password'],
                additionalProperties: false,
              },
            },
            required: ['basic'],
            additionalProperties: false,
          },
        ],
      },
    },
    required: ['baseUrl'],
    additionalProperties: false,
  },
  operationSchema: {
    type: 'object',
    properties: {
      post: { type: 'string', pattern: '^/', description: 'The path.', examples: ['/orders'] },
      success: {
        type: 'array',
        description: 'Codes that mean success.',
        items: { type: 'integer', minimum: 200, maximum: 499 },
      },
    },
    required: ['post'],
  },
  secretFields: ['auth/bearer', 'auth/basic/password'],
  check: (_fields, operations) =>
    [...operations].flatMap(([name, { post }]) =>
      String(post).includes('//')
        ? [{ path: ['operations', name, 'post'], code: 'web-path', message: 'has an empty step' }]
        : [],
    ),
};

export const catalogFolder = join(packageRoot, 'connectors/catalog');

/** What the files of test/fixtures/definitions/good need. */
export const goodEnvironment = {
  SHOPIFY_SHOP: 'example.myshopify.com',
  SHOPIFY_WEBHOOK_SECRET: 'shpss_canary_one',
  ERP_URL: 'https://erp.example',
  ERP_TOKEN: '12345678',
};

export const goodFolder = join(packageRoot, 'test/fixtures/definitions/good');

/** Loads a folder as the hub does, but with `webKind` alone. */
export function load(folder: string, options: Partial<LoadOptions> = {}): Promise<LoadResult> {
  const environment = goodEnvironment;
  return loadDefinitions({ folder, catalogFolder, kinds: [webKind], environment, ...options });
}

/** Writes `files` to a new folder and loads it; what stands in the folder is removed again. */
export async function loadFiles(
  files: Readonly<Record<string, string | Buffer>>,
  options: Partial<LoadOptions> = {},
): Promise<LoadResult> {
  return withProject(files, (folder) => load(folder, options));
}

export async function withProject<Result>(
  files: Readonly<Record<string, string | Buffer>>,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(join(tmpdir(), 'crossdock-definitions-'));
  try {
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The errors (not the warnings) as they are shown. */
export function errorsOf({ problems }: LoadResult): readonly string[] {
  return problems.filter(({ severity }) => severity === 'error').map(formatProblem);
}

/** Everything as it is shown, warnings marked. */
export function linesOf({ problems }: LoadResult): readonly string[] {
  return problems.map((problem) =>
    problem.severity === 'error' ? formatProblem(problem) : `warning ${formatProblem(problem)}`,
  );
}
