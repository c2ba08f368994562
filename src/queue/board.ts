// Bull Board over the lanes. Its buttons change deliveries, not jobs: each goes to the controls,
// which leave their trace in the journal, and the job only follows. What would change a lane behind
// the journal's back (adding, editing, obliterating) is refused.

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import type { Job, Queue } from 'bullmq';
import type { RequestHandler } from 'express';
import { CrossdockError, type ErrorCode, isCrossdockError } from '../model/errors.ts';
import { withinDeadline } from './deadline.ts';

export interface BoardControls {
  retry(deliveryId: string, by: string): Promise<void>;
  promote(deliveryId: string, by: string): Promise<void>;
  cancel(deliveryId: string, by: string): Promise<void>;
  pauseLane(connector: string, by: string): Promise<void>;
  resumeLane(connector: string, by: string): Promise<void>;
}

export interface BoardOptions {
  /** One a lane, named after the connector. */
  readonly queues: readonly Queue[];
  readonly controls: BoardControls;
  /** Where the board is mounted, such as `/queues`. */
  readonly basePath: string;
  /** Who the journal says did it. */
  readonly by: string;
}

/** Must be mounted behind a sign-in and a same-origin check: the board has neither. */
export function createBoard(options: BoardOptions): RequestHandler {
  const serverAdapter = new BoardServer();
  serverAdapter.setBasePath(options.basePath);
  createBullBoard({
    queues: options.queues.map((queue) => new LaneAdapter(queue, options)),
    serverAdapter,
    options: {
      uiConfig: {
        boardTitle: 'Crossdock lanes',
        hideDocsLink: true,
        miscLinks: [{ text: 'Crossdock', url: '/' }],
      },
      handlerHooks: {
        before: ({ method, route }) =>
          method === 'get' || allowedChanges.has(route)
            ? undefined
            : {
                allow: false,
                status: 405,
                message: 'Lanes follow the journal: jobs are not added, edited or wiped here.',
              },
      },
    },
  });
  const app = serverAdapter.getRouter();
  app.set('env', 'production').disable('x-powered-by').disable('etag');
  return app;
}

/** An allow-list, so that a button that a later version brings is refused until it is looked at. */
const allowedChanges: ReadonlySet<string> = new Set([
  '/api/queues/pause',
  '/api/queues/resume',
  '/api/queues/:queueName/pause',
  '/api/queues/:queueName/resume',
  '/api/queues/:queueName/empty',
  '/api/queues/:queueName/promote',
  '/api/queues/:queueName/clean/:queueStatus',
  '/api/queues/:queueName/retry/:queueStatus',
  '/api/queues/:queueName/:jobId/retry',
  '/api/queues/:queueName/:jobId/promote',
  '/api/queues/:queueName/:jobId/clean',
]);

const statuses: Readonly<Partial<Record<ErrorCode, 400 | 404 | 409 | 503>>> = {
  usage: 400,
  'not-found': 404,
  'state-conflict': 409,
  'journal-unavailable': 503,
  'lanes-unavailable': 503,
};

/** Tells the board's page what the controls refused; anything else is for the app's own handler. */
class BoardServer extends ExpressAdapter {
  override setErrorHandler(): this {
    return super.setErrorHandler((error: Error) => {
      if (!isCrossdockError(error)) throw error;
      const { code, message } = error;
      const status = statuses[code] ?? 500;
      const key = status < 500 ? 'ERRORS.FORBIDDEN' : 'ERRORS.INTERNAL_SERVER_ERROR';
      // The board's types know no 503; Express, which answers, does.
      return { status: status as 500, body: { error: { key }, code, message } };
    }) as this;
  }
}

type JobStatus = Parameters<BullMQAdapter['getJobs']>[0][number];
type JobCleanStatus = Parameters<BullMQAdapter['clean']>[0];

/** Jobs that one page of a bulk change takes at once. */
const PAGE_SIZE = 50;
/** Pages of one bulk change; pressing the button again goes on. */
const PAGES_MAX = 200;
/** A bulk change may take longer: it is each of its calls that is waited for no longer than this. */
const CALL_DEADLINE_MS = 5_000;

class LaneAdapter extends BullMQAdapter {
  /** A completed job's delivery is delivered or filtered; doing it again is a replay, not a retry. */
  override readonly allowCompletedRetries = false;
  readonly #lane: string;
  readonly #controls: BoardControls;
  readonly #by: string;

  constructor(queue: Queue, options: Pick<BoardOptions, 'controls' | 'by'>) {
    super(withDeadlines(queue), {
      externalJobUrl: (job) => ({
        displayText: 'delivery',
        href: `/deliveries/${encodeURIComponent(deliveryIdOf(job.data) ?? '')}`,
      }),
    });
    this.#lane = queue.name;
    this.#controls = options.controls;
    this.#by = options.by;
    this.setFormatter('data', describeJob);
  }

  override getRedisInfo(): Promise<string | null> {
    return soon(super.getRedisInfo(), this.#lane);
  }

  override getDatastoreStats(): ReturnType<BullMQAdapter['getDatastoreStats']> {
    return soon(super.getDatastoreStats(), this.#lane);
  }

  /** Lanes get their limits from the connectors' files. */
  override get supportsGlobalRateLimit(): boolean {
    return false;
  }

  override pause(): Promise<void> {
    return this.#controls.pauseLane(this.#lane, this.#by);
  }

  override resume(): Promise<void> {
    return this.#controls.resumeLane(this.#lane, this.#by);
  }

  override async getJob(id: string): Promise<Job | undefined> {
    const job = await super.getJob(id);
    return job && this.#bind(job, { oneOfMany: false });
  }

  override async getJobs(...range: Parameters<BullMQAdapter['getJobs']>): Promise<Job[]> {
    const jobs = await super.getJobs(...range);
    return jobs.map((job) => this.#bind(job, { oneOfMany: true }));
  }

  override async clean(status: JobCleanStatus, graceMs: number): Promise<void> {
    if (status === 'completed' || status === 'failed') return super.clean(status, graceMs);
    if (status === 'active') {
      throw new CrossdockError('state-conflict', 'deliveries under way cannot be removed');
    }
    const list = waitingLists.get(status);
    if (list === undefined) {
      throw new CrossdockError('usage', `no list of jobs can be cleaned by the name "${status}"`);
    }
    const before = Date.now() - graceMs;
    await this.#forEach(list, async (job) => job.timestamp <= before && this.#remove(job));
  }

  override async empty(): Promise<void> {
    await this.#forEach('waiting', (job) => this.#remove(job));
    await this.#forEach('prioritized', (job) => this.#remove(job));
  }

  override async promoteAll(): Promise<void> {
    await this.#forEach('delayed', (job) => this.#change(job, 'promote', { oneOfMany: true }));
  }

  /** The board calls these three on the jobs it got. */
  #bind(job: Job, mode: ChangeMode): Job {
    return Object.defineProperties(job, {
      retry: { value: () => this.#change(job, 'retry', mode) },
      promote: { value: () => this.#change(job, 'promote', mode) },
      remove: { value: () => this.#remove(job) },
      getState: { value: () => soon(stateOf(job), this.#lane) },
    });
  }

  /**
   * The delivery gets a new round and with it a new job; the old one stands for nothing any more.
   * Among many, one whose delivery has moved on in the meantime is only taken off the list.
   */
  async #change(job: Job, change: 'retry' | 'promote', mode: ChangeMode): Promise<boolean> {
    const deliveryId = deliveryIdOf(job.data);
    if (deliveryId === undefined) throw new CrossdockError('not-found', 'no delivery is behind it');
    try {
      await this.#controls[change](deliveryId, this.#by);
    } catch (error) {
      if (!mode.oneOfMany || !hasMovedOn(error)) throw error;
    }
    return discard(job);
  }

  /** `false` where the job stays: it is under way. A delivery that is finished stays as it is. */
  async #remove(job: Job): Promise<boolean> {
    if ((await soon(stateOf(job), this.#lane)) === 'active') {
      throw new CrossdockError('state-conflict', 'this delivery is under way');
    }
    const deliveryId = deliveryIdOf(job.data);
    if (deliveryId !== undefined) {
      await this.#controls.cancel(deliveryId, this.#by).catch((error: unknown) => {
        if (!hasMovedOn(error)) throw error;
      });
    }
    return discard(job);
  }

  async #forEach(status: JobStatus, work: (job: Job) => Promise<boolean>): Promise<void> {
    let kept = 0;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const jobs = await super.getJobs([status], kept, kept + PAGE_SIZE - 1);
      if (jobs.length === 0) return;
      const gone = await Promise.all(
        jobs.map((job) =>
          work(job).catch((error: unknown) => {
            if (hasMovedOn(error)) return false;
            throw error;
          }),
        ),
      );
      kept += gone.filter((isGone) => !isGone).length;
    }
  }
}

/** By the names that the board and BullMQ give them. */
const waitingLists: ReadonlyMap<string, JobStatus> = new Map([
  ['wait', 'waiting'],
  ['waiting', 'waiting'],
  ['paused', 'waiting'],
  ['delayed', 'delayed'],
  ['prioritized', 'prioritized'],
]);

/** While its store is away BullMQ waits for it, and would keep a person at the board waiting too. */
function withDeadlines(queue: Queue): Queue {
  return new Proxy(queue, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = value.apply(target, args);
        return result instanceof Promise ? soon(result, target.name) : result;
      };
    },
  });
}

/** Rejects `lanes-unavailable`. */
function soon<T>(promise: Promise<T>, lane: string): Promise<T> {
  return withinDeadline(promise, CALL_DEADLINE_MS, `lane ${lane}`);
}

/** Asks the job itself, whatever `#bind` made of its methods. */
function stateOf(job: Job): ReturnType<Job['getState']> {
  const getState: Job['getState'] = Object.getPrototypeOf(job).getState;
  return getState.call(job);
}

interface ChangeMode {
  readonly oneOfMany: boolean;
}

function hasMovedOn(error: unknown): boolean {
  return isCrossdockError(error, 'state-conflict') || isCrossdockError(error, 'not-found');
}

/**
 * Takes the job itself off the lane, whatever `#bind` made of its methods. Where that fails (it has
 * just been taken by a worker) it does no harm: its round is over in the journal.
 */
function discard(job: Job): Promise<boolean> {
  const remove: Job['remove'] = Object.getPrototypeOf(job).remove;
  return remove.call(job).then(
    () => true,
    () => false,
  );
}

function deliveryIdOf(data: unknown): string | undefined {
  const { delivery } = (data ?? {}) as { readonly delivery?: unknown };
  return typeof delivery === 'string' ? delivery : undefined;
}

/** What the board shows as the job's data. Ids only: a lane never carries a body. */
function describeJob(data: unknown): object {
  const { flow, topic, key, event, delivery, round } = (data ?? {}) as Record<string, unknown>;
  return { flow, topic, key, event, delivery, round, link: `/deliveries/${String(delivery)}` };
}
