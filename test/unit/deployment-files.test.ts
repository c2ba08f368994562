// Dockerfile, docker-compose.yml, .env.example, package-lock.json and .ci/run: what no compiler
// looks at, and what is noticed only where it hurts.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseEnv, promisify } from 'node:util';
import { parse } from 'yaml';
import { judgeRedis } from '../../src/cli/doctor/services.ts';
import { parseEnvironment } from '../../src/config/environment.ts';
import { packageRoot } from '../../src/config/package-root.ts';
import { parseDurationMs } from '../../src/model/units.ts';
import { inspectRedis } from '../../src/queue/redis-doctor.ts';
import { type Instruction, parseDockerfile } from '../support/dockerfile.ts';
import { skipWithoutRedis, startRedis } from '../support/redis-server.ts';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: string;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly container_name?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly restart?: string;
  readonly stop_grace_period?: string;
}

const composeText = await read('docker-compose.yml');
const compose = parse(composeText, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const services = Object.entries(compose.services);
const stages = splitStages(parseDockerfile(await read('Dockerfile')));
const [buildStage = [], finalStage = []] = stages;
const example = parseEnv(await read('.env.example'));

function read(file: string): Promise<string> {
  return readFile(join(packageRoot, file), 'utf8');
}

function service(name: string): Service {
  const found = compose.services[name];
  assert.ok(found, `service ${name}`);
  return found;
}

function splitStages(instructions: readonly Instruction[]): readonly (readonly Instruction[])[] {
  const starts = instructions.flatMap(({ name }, index) => (name === 'FROM' ? [index] : []));
  return starts.map((start, stage) => instructions.slice(start, starts[stage + 1]));
}

function last(stage: readonly Instruction[], name: string): string {
  const found = stage.findLast((instruction) => instruction.name === name);
  assert.ok(found, `instruction ${name}`);
  return found.rest;
}

function argumentsOf(stage: readonly Instruction[], name: string): readonly string[] {
  return stage.filter((instruction) => instruction.name === name).map(({ rest }) => rest);
}

describe('the image', () => {
  test('is built in two stages, of which the second installs nothing', () => {
    assert.equal(stages.length, 2);
    assert.deepEqual(
      argumentsOf(finalStage, 'RUN').filter((rest) => /\b(npm|npx|apt|apt-get|curl)\b/.test(rest)),
      [],
    );
    for (const rest of argumentsOf(finalStage, 'COPY')) assert.match(rest, /^--from=build /);
  });

  test('has production dependencies only, from the lock file, and runs no install script', () => {
    const npm = argumentsOf(buildStage, 'RUN').filter((rest) => /^npm (?!run)/.test(rest));
    assert.deepEqual(npm, [
      'npm ci --ignore-scripts',
      'npm prune --omit=dev --omit=optional --ignore-scripts',
    ]);
  });

  test('has every file of the package that the program reads', async () => {
    const { files } = JSON.parse(await read('package.json')) as { files: readonly string[] };
    const folders = files.filter((file) => file !== 'docs');
    const copied = argumentsOf(finalStage, 'COPY').map((rest) => rest.split(' ').at(-1));
    for (const folder of [...folders, 'package.json', 'node_modules']) {
      const top = folder.split('/')[0];
      const targets = [`./${folder}`, `./${top}`, ...(top === folder ? ['./'] : [])];
      assert.ok(
        targets.some((target) => copied.includes(target)),
        folder,
      );
    }
  });

  test('takes from the checkout what .dockerignore lets through, and that is all it lets through', async () => {
    const rules = (await read('.dockerignore')).split('\n').filter((line) => /^[^#]/.test(line));
    assert.equal(rules[0], '*');
    const allowed = rules.slice(1).map((rule) => rule.replace(/^!/, ''));
    const sources = argumentsOf(buildStage, 'COPY').flatMap((rest) => rest.split(' ').slice(0, -1));
    assert.deepEqual([...allowed].sort(), [...sources].sort());
    for (const source of sources) await stat(join(packageRoot, source));
  });

  test('runs as an ordinary user, whose number says so', () => {
    assert.match(last(finalStage, 'USER'), /^[1-9]\d*:[1-9]\d*$/);
  });

  test('starts the hub without a shell in between, which would keep SIGTERM to itself', () => {
    assert.deepEqual(JSON.parse(last(finalStage, 'ENTRYPOINT')), ['crossdock']);
    assert.deepEqual(JSON.parse(last(finalStage, 'CMD')), ['start']);
    assert.equal(last(finalStage, 'STOPSIGNAL'), 'SIGTERM');
  });

  test('runs on a Node that the package takes', async () => {
    const { engines } = JSON.parse(await read('package.json')) as { engines: { node: string } };
    const needed = /^>=(\d+)\./.exec(engines.node)?.[1];
    const used = /NODE_IMAGE=node:(\d+)-/.exec(await read('Dockerfile'))?.[1];
    assert.ok(Number(used) >= Number(needed), `${used} and ${engines.node}`);
  });
});

describe('the health check of the image', () => {
  const [, command = '[]'] = / CMD (\[.*\])$/.exec(last(finalStage, 'HEALTHCHECK')) ?? [];
  const [program = '', ...args]: string[] = JSON.parse(command);

  async function check(port: number): Promise<number> {
    assert.equal(program, 'node');
    const env = { ...process.env, PORT: String(port) };
    return promisify(execFile)(process.execPath, args, { env }).then(
      () => 0,
      (error: { code: number }) => error.code,
    );
  }

  test('passes while /healthz says 200, and fails when it does not or nobody listens', async () => {
    let status = 200;
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(status).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    assert.equal(await check(port), 0);
    status = 503;
    assert.equal(await check(port), 1);
    assert.deepEqual(asked, ['/healthz', '/healthz']);
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    assert.equal(await check(port), 1);
  });
});

describe('docker-compose.yml', () => {
  test('has intake and delivery as services of which there may be many', () => {
    for (const role of ['intake', 'delivery']) {
      const { command, ports, container_name } = service(role);
      assert.deepEqual(command, ['start', '--role', role]);
      assert.equal(ports, undefined, `two ${role}s cannot share a port of the machine`);
      assert.equal(container_name, undefined, `two ${role}s cannot share a name`);
    }
  });

  test('opens one port, of this machine alone, and its gateway knows every intake', async () => {
    const open = services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]));
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose replaces it.
    assert.deepEqual(open, [['gateway', '${HOST:-127.0.0.1}:${PORT:-8080}:8080']]);
    const config = await read('deploy/haproxy.cfg');
    assert.match(config, /^ {2}bind :8080$/m);
    assert.match(config, /^ {2}server-template intake \d+ intake:8080 check .*resolvers docker/m);
    assert.equal(service('intake').environment?.['PORT'], '8080');
  });

  test('gives every hub the same admin token, and names what is missing before it starts', () => {
    const required = /\$\{(\w+):\?[^}]+\}/g;
    for (const name of ['intake', 'delivery', 'migrate']) {
      const { environment = {}, env_file } = service(name);
      assert.match(
        environment['CROSSDOCK_ADMIN_TOKEN'] ?? '',
        /^\$\{CROSSDOCK_ADMIN_TOKEN:\?.+\}$/,
      );
      assert.match(environment['DATABASE_URL'] ?? '', /\$\{POSTGRES_PASSWORD:\?.+\}@postgres:5432/);
      assert.equal(environment['REDIS_URL'], 'redis://redis:6379');
      assert.equal(env_file, '.env');
    }
    const names = new Set([...composeText.matchAll(required)].map(([, name]) => name));
    assert.deepEqual([...names].sort(), ['CROSSDOCK_ADMIN_TOKEN', 'POSTGRES_PASSWORD']);
    // As long as these are empty in the example, nobody runs on a password out of a repository.
    for (const name of names) assert.equal(example[name ?? ''], '', name);
  });

  test('migrates once, after PostgreSQL is there and before any hub starts', () => {
    const { command, restart, depends_on } = service('migrate');
    assert.deepEqual(command, ['migrate']);
    assert.match(restart ?? '', /^(no|on-failure(:\d+)?)$/);
    assert.equal(depends_on?.['postgres']?.condition, 'service_healthy');
    for (const role of ['intake', 'delivery']) {
      const conditions = service(role).depends_on ?? {};
      assert.equal(conditions['migrate']?.condition, 'service_completed_successfully');
      assert.equal(conditions['postgres']?.condition, 'service_healthy');
      assert.ok(conditions['redis']);
    }
  });

  test('knows of every service whether it is well, and starts it again', () => {
    for (const [name, { build, healthcheck, restart }] of services) {
      // What is built here has the health check of its image.
      assert.ok(build === '.' || healthcheck, name);
      if (name !== 'migrate') assert.equal(restart, 'unless-stopped', name);
    }
  });

  test('leaves a hub longer than the 10 s in which it hands its work back', () => {
    for (const role of ['intake', 'delivery']) {
      const graceMs = parseDurationMs(service(role).stop_grace_period ?? '');
      assert.ok(graceMs !== undefined && graceMs > 10_000, `${role}: ${graceMs} ms`);
    }
  });

  test('keeps the data of PostgreSQL, Redis and the archive in volumes with names', () => {
    const kept = services.flatMap(([, { volumes = [] }]) =>
      volumes.filter((volume) => /^[a-z]/.test(volume)),
    );
    assert.deepEqual([...new Set(kept)].sort(), [
      'hub:/project/.crossdock',
      'postgres:/var/lib/postgresql',
      'redis:/data',
    ]);
    assert.deepEqual(Object.keys(compose.volumes).sort(), ['hub', 'postgres', 'redis']);
    assert.match(service('postgres').image ?? '', /^postgres:(1[89]|[2-9]\d)/);
  });

  test('lets a hub read the project and change nothing in it', async () => {
    const folders = ['connectors', 'flows', 'mappings', 'schemas'];
    const { volumes = [] } = service('delivery');
    for (const folder of folders) assert.ok(volumes.includes(`./${folder}:/project/${folder}:ro`));
    const mounted = volumes.filter((volume) => volume.startsWith('.'));
    assert.equal(mounted.length, folders.length);
  });

  test('runs a Redis that the doctor finds nothing wrong with', skipWithoutRedis(), async () => {
    const [program, ...flags] = service('redis').command ?? [];
    assert.equal(program, 'redis-server');
    const redis = await startRedis(flags);
    assert.ok(redis);
    try {
      const report = await inspectRedis(redis.url);
      assert.equal(report.appendfsync, 'always');
      assert.equal(report.maxmemoryPolicy, 'noeviction');
      const verdicts = judgeRedis(report).map(({ verdict }) => verdict);
      assert.deepEqual([...new Set(verdicts)], ['pass']);
    } finally {
      await redis.stop();
    }
  });
});

describe('.env.example', () => {
  test('names every variable that the hub reads', () => {
    const asked = new Set<string>();
    const variables = new Proxy<Record<string, string>>(
      {},
      {
        get(_, name) {
          asked.add(String(name));
          return undefined;
        },
      },
    );
    parseEnvironment(variables);
    assert.ok(asked.has('CROSSDOCK_ADMIN_TOKEN'), 'nothing was recorded');
    assert.deepEqual([...asked].filter((name) => !(name in example)).sort(), []);
  });

  test('names every variable of the connectors and of docker-compose.yml, and no other', async () => {
    const files = (await readdir(join(packageRoot, 'connectors'))).filter((name) =>
      name.endsWith('.yaml'),
    );
    const texts = await Promise.all(files.map((file) => read(join('connectors', file))));
    const used = [...texts, JSON.stringify(compose)].flatMap((text) =>
      [...text.matchAll(/(?<!\$)\$\{([A-Z][A-Z0-9_]*)/g)].map(([, name = '']) => name),
    );
    assert.ok(used.length > 10, `${used.length} variables`);
    assert.deepEqual([...new Set(used)].filter((name) => !(name in example)).sort(), []);
    const environment = await read('src/config/environment.ts');
    const known = (name: string) => used.includes(name) || environment.includes(`'${name}'`);
    assert.deepEqual(
      Object.keys(example).filter((name) => !known(name)),
      [],
    );
  });
});

test('the lock file has the packages of every platform, without which `npm ci` refuses it', async () => {
  const { packages } = JSON.parse(await read('package-lock.json')) as {
    packages: Record<string, { readonly optionalDependencies?: Record<string, string> }>;
  };
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.keys(optionalDependencies),
  );
  const missing = wanted.filter((name) => packages[`node_modules/${name}`] === undefined);
  assert.deepEqual(missing, []);
});

test('CI runs the commands of the README', async () => {
  const [script, readme] = await Promise.all([read('.ci/run'), read('README.md')]);
  for (const command of ['npm ci && npm test', 'npm run demo -- --once']) {
    assert.ok(readme.includes(command), `README.md: ${command}`);
    assert.ok(script.includes(command), `.ci/run: ${command}`);
  }
});
