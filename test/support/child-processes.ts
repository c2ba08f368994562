import { spawnSync } from 'node:child_process';

/** The ids of the processes that `parent` started, of those whose command line has `part`. */
export function childProcesses(parent: number, part: string): readonly number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,args='], { encoding: 'utf8' });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, ppid, args = ''] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(ppid) === parent && args.includes(part) ? [Number(pid)] : [];
  });
}
