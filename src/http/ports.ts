// What the HTTP layer needs of the house.

import type { RequestHandler } from 'express';
import type { ClockState } from '../delivery/clock-guard.ts';
import type { Controls } from '../delivery/controls.ts';
import type { LaneRules } from '../delivery/lane-status.ts';
import type { Pausable } from '../delivery/pausable.ts';
import type { ProjectNow } from '../delivery/replay-again.ts';
import type { ReplayControls } from '../delivery/replays.ts';
import type { Intake } from '../intake/intake.ts';
import type { Release } from '../intake/release.ts';
import type { Journal } from '../journal/journal.ts';
import type { Problems } from '../journal/problems-port.ts';
import type { Quarantine } from '../journal/quarantine-port.ts';
import type { Log } from '../model/log.ts';
import type { Lanes } from '../queue/lanes.ts';
import type { Metrics } from './metrics.ts';

/** What `/api/v1` shows and does. */
export interface ApiPorts {
  readonly journal: Journal;
  readonly lanes: Pick<Lanes, 'count'>;
  /** Of each connector that has a lane. */
  readonly laneRules: ReadonlyMap<string, LaneRules>;
  readonly pausable: Pausable;
  readonly controls: Controls;
  readonly problems: Problems;
  readonly replays: ReplayControls;
  readonly quarantine: Quarantine;
  readonly release: Release;
  /** The files that this hub runs by. */
  readonly now: ProjectNow;
}

export interface HttpPorts {
  /** Without one there is no `/webhooks` route: the role `delivery`. */
  readonly intake?: Intake;
  /**
   * Bytes that the bodies being read or answered may hold together, besides the first 16 KiB of
   * each; who would need more is answered `overloaded`. @default 64 MiB
   */
  readonly heldBodyBytesMax?: number;
  /** Addresses and CIDR blocks of the proxies whose headers count. @default none */
  readonly trustedProxies?: readonly string[];
  readonly journal: Journal;
  readonly lanes: Lanes;
  /** The connectors that have a lane. */
  readonly laneNames: readonly string[];
  readonly metrics: Metrics;
  /** Without it there is no `/api/v1`. */
  readonly api?: ApiPorts;
  /** Bull Board, mounted at `/queues` behind the sign-in. */
  readonly board?: RequestHandler;
  readonly adminToken: string;
  readonly log: Log;
  /** `true` from the moment the hub is leaving: `/readyz` then says 503. @default never */
  readonly isClosing?: () => boolean;
  /** While it is wrong, `/readyz` says `degraded` and why. @default always right */
  readonly clock?: () => ClockState;
}
