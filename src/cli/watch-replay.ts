import type { ReplayControls, ReplayProgress } from '../delivery/replays.ts';
import { progressLines } from './describe-replay.ts';
import { print } from './terminal.ts';

const LOOK_EVERY_MS = 1_000;

/** Shows how a run goes, each time something changed, until nothing more comes of it. */
export async function watchReplay(
  replays: Pick<ReplayControls, 'watch'>,
  id: string,
  isSilent: boolean,
): Promise<ReplayProgress> {
  let shown = '';
  for (;;) {
    const progress = await replays.watch(id);
    const text = progressLines(progress).join('\n');
    if (!isSilent && text !== shown) print(shown === '' ? text : `\n${text}`);
    shown = text;
    // A plan that is not run has nothing to watch.
    if (progress.isOver || progress.replay.state === 'planned') return progress;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
