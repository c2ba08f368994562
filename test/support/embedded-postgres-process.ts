// Another process that uses the embedded server, for tests of what happens between processes.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ServerUser {
  readonly child: ChildProcess;
  readonly said: {
    readonly url: string;
    readonly pid: number;
    readonly startedByUs: boolean;
    readonly code?: string;
    readonly message: string;
  };
  leave(): Promise<void>;
}

/** Resolves when the process has said that it has the server, or why not. */
export async function startInProcess(options: {
  dataFolder: string;
  systemFolder: string;
  uid?: number;
}): Promise<ServerUser> {
  const { dataFolder, systemFolder, uid } = options;
  const script = fileURLToPath(new URL('embedded-postgres-user.js', import.meta.url));
  const child = spawn(process.execPath, [script, dataFolder, systemFolder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid, cwd: '/' }),
  });
  const [line] = await once(createInterface(child.stdout), 'line', {
    signal: AbortSignal.timeout(30_000),
  });
  return {
    child,
    said: JSON.parse(line),
    async leave() {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}
