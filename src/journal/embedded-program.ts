// Running the programs of the embedded PostgreSQL: as whom, with which environment, and how a
// failure of theirs reads.
import { type ChildProcess, execFile } from 'node:child_process';
import { CrossdockError } from '../model/errors.ts';

/** Whom the server runs as when the hub itself is root, which PostgreSQL refuses to be. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
  readonly name: string;
}

/** Nothing of the hub's own environment reaches the server. */
export const programEnv = { PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' } as const;

const OUTPUT_LINES_SHOWN = 6;
const OUTPUT_BYTES_MAX = 1_048_576;

export function serverFailed(message: string, cause?: unknown): CrossdockError {
  return new CrossdockError('embedded-server-failed', `embedded PostgreSQL: ${message}`, { cause });
}

/** The part of Node's spawn options that says as whom. */
export function asUser(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/** Runs a program to its end, with `input` on its standard input. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { user: ServerUser | undefined; input?: string; timeoutMs: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = execFile(
      program,
      args,
      {
        ...asUser(options.user),
        cwd: '/',
        env: programEnv,
        timeout: options.timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: OUTPUT_BYTES_MAX,
        windowsHide: true,
      },
      (error, _stdout, stderr) => {
        if (error === null) return resolve();
        const said = lastLines(stderr) || error.message;
        reject(serverFailed(`${program} failed (${howItEnded(error)}): ${said}`, error));
      },
    );
    // A program that dies early closes its input; its exit tells the story.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** The last lines of a program's output, without its time stamps, on one line. */
export function lastLines(output: string): string {
  return output
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\d [\d:.]+ UTC \[\d+\] /, '').trim())
    .filter((line) => line !== '')
    .slice(-OUTPUT_LINES_SHOWN)
    .join(' | ');
}

function howItEnded(error: { code?: unknown; killed?: boolean; signal?: unknown }): string {
  if (error.killed === true) return 'took too long';
  return typeof error.signal === 'string' ? error.signal : `code ${String(error.code)}`;
}
