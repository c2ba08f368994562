import { fileURLToPath } from 'node:url';

/** Absolute path of the installed package: the folder of migrations/, schemas/ and connectors/catalog/. */
export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));
