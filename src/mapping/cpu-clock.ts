// Processor time of what is under way, cheaply: asking the system takes longer than a small mapping.

/** Below this, time on the wall is good enough. */
const QUICK_MS = 50;

export interface CpuClock {
  start(): void;
  /** Milliseconds since `start`: processor time, or less than `QUICK_MS` on the wall. */
  elapsedMs(): number;
}

export function createCpuClock(): CpuClock {
  let known = process.cpuUsage();
  let knownMs = performance.now();
  let startedMs = knownMs;
  return {
    start: () => {
      startedMs = performance.now();
      if (startedMs - knownMs < QUICK_MS) return;
      known = process.cpuUsage();
      knownMs = startedMs;
    },
    elapsedMs: () => {
      const wallMs = performance.now() - startedMs;
      if (wallMs < QUICK_MS) return wallMs;
      // Up to QUICK_MS of what came before is counted too.
      const { user, system } = process.cpuUsage(known);
      return Math.min(wallMs, (user + system) / 1_000);
    },
  };
}
