import { createRequire } from 'node:module';

/**
 * JSONata, by `require`: `import` would first search its whole text for names that it exports, which
 * takes longer than to run it, at the start of every mapping process.
 */
export const jsonata = createRequire(import.meta.url)('jsonata') as typeof import('jsonata');
