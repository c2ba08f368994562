import {
  createBenchProject,
  type HubUnderTest,
  removeBenchProject,
  startHubUnderTest,
} from './hub-under-test.ts';
import { benchFiles } from './order.ts';
import type { BenchRedis } from './redis.ts';
import type { LoadProcess } from './start-load.ts';

/** The second start is the one that is measured: the first makes the database. */
export async function withHub<T>(
  setting: {
    readonly load: LoadProcess;
    readonly redis: BenchRedis | undefined;
    readonly role: string;
    readonly program?: string;
    /** More files of the project. */
    readonly files?: Readonly<Record<string, string>>;
  },
  work: (hub: HubUnderTest) => Promise<T>,
): Promise<T> {
  const { load, redis, files, ...version } = setting;
  const target = `http://127.0.0.1:${load.targetPort}`;
  const folder = await createBenchProject({ ...benchFiles(target), ...files });
  const store = redis === undefined ? {} : { redisUrl: redis.url };
  try {
    await (await startHubUnderTest({ folder, ...version, ...store })).stop();
    const hub = await startHubUnderTest({ folder, ...version, ...store });
    try {
      return await work(hub);
    } finally {
      await hub.stop();
    }
  } finally {
    await redis?.empty();
    await removeBenchProject(folder);
  }
}
