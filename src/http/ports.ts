// What the HTTP layer needs of the house.

import type { RequestHandler } from 'express';
import type { Controls } from '../delivery/controls.ts';
import type { LaneRules } from '../delivery/lane-status.ts';
import type { Pausable } from '../delivery/pausable.ts';
import type { Intake } from '../intake/intake.ts';
import type { Journal } from '../journal/journal.ts';
import type { Log } from '../model/log.ts';
import type { Lanes } from '../queue/lanes.ts';
import type { Metrics } from './metrics.ts';

export interface HttpPorts {
  /** Without one there is no `/webhooks` route: the role `delivery`. */
  readonly intake?: Intake;
  /**
   * Bytes that the bodies being read or answered may hold together, besides the first 16 KiB of
   * each; who would need more is answered `overloaded`. @default 64 MiB
   */
  readonly heldBodyBytesMax?: number;
  readonly journal: Journal;
  readonly lanes: Lanes;
  /** The connectors that have a lane. */
  readonly laneNames: readonly string[];
  /** What the API lets people do; without it there is no `/api/v1`. */
  readonly api?: {
    readonly controls: Controls;
    /** Of each connector that has a lane. */
    readonly laneRules: ReadonlyMap<string, LaneRules>;
    readonly pausable: Pausable;
  };
  readonly metrics: Metrics;
  /** Bull Board, mounted at `/queues` behind the sign-in. */
  readonly board?: RequestHandler;
  readonly adminToken: string;
  readonly log: Log;
  /** `true` from the moment the hub is leaving: `/readyz` then says 503. @default never */
  readonly isClosing?: () => boolean;
}
