#!/usr/bin/env node
import { runCrossdock } from './program.ts';

// A reader that has seen enough (`crossdock events | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

await runCrossdock(process.argv.slice(2));
