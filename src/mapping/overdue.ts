import { readFileSync } from 'node:fs';

/** How often the pool looks at its children, in milliseconds. */
export const TICK_MS = 50;

/** What is known of a child's evaluation under way. */
interface Clocked {
  readonly pid: number | undefined;
  readonly currentSinceMs: number;
  currentCpuMs: number | undefined;
}

/** On a machine that has no time for the child, the wall clock may run this much longer. */
const STARVED_FACTOR = 10;

/**
 * Whether the evaluation under way has had its time: on the wall, and of the processor too where
 * that can be read. A child that does not get to run is not at fault.
 */
export function isOverdue(child: Clocked, now: number, maxMs: number): boolean {
  const wallMs = now - child.currentSinceMs;
  if (wallMs < 2 * TICK_MS) return false;
  const cpuMs = readProcessorMs(child.pid);
  child.currentCpuMs ??= cpuMs;
  if (wallMs <= maxMs) return false;
  if (cpuMs === undefined || child.currentCpuMs === undefined) return true;
  // What was used before the first look is not known: up to three ticks of ours.
  const usedMs = cpuMs - child.currentCpuMs + 3 * TICK_MS;
  return usedMs >= maxMs || wallMs > STARVED_FACTOR * maxMs;
}

/** Linux counts in hundredths of a second, whatever the kernel's own tick is (proc(5), sysconf). */
const PROC_TICK_MS = 10;

/** Processor time that a process has used so far, in milliseconds; `undefined` where nobody tells. */
function readProcessorMs(pid: number | undefined): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name may hold anything; what follows its closing bracket is numbers: 14 utime, 15 stime.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isNaN(ticks) ? undefined : ticks * PROC_TICK_MS;
  } catch {
    return undefined;
  }
}
