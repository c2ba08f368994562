import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnvironment } from '../../src/config/environment.ts';

test('an empty environment is a hub on port 8080 of this machine only', () => {
  const environment = parseEnvironment({});
  assert.equal(environment.port, 8080);
  assert.equal(environment.host, '127.0.0.1');
  assert.equal(environment.retentionDays, 30);
  assert.equal(environment.databaseUrl, undefined);
  assert.equal(environment.redisUrl, undefined);
});

test('every mistake is named at once, with what is allowed', () => {
  const wrong = {
    PORT: '80a',
    LOG_LEVEL: 'loud',
    DATABASE_URL: 'mysql://localhost/x',
    REDIS_URL: 'localhost:6379',
    CROSSDOCK_ADMIN_TOKEN: 'short',
    CROSSDOCK_RETENTION_DAYS: '1',
    CROSSDOCK_DIR: '/there/is/no/such/folder',
  };
  assert.throws(
    () => parseEnvironment(wrong),
    (error: Error) => Object.keys(wrong).every((name) => error.message.includes(`${name}:`)),
  );
});

test('a mistake in a secret does not say the secret', () => {
  const secret = 'hunter2';
  assert.throws(
    () =>
      parseEnvironment({ CROSSDOCK_ADMIN_TOKEN: secret, DATABASE_URL: `bad://u:${secret}@h/d` }),
    (error: Error) => !error.message.includes(secret),
  );
});

test('an empty variable is an unset one', () => {
  assert.equal(parseEnvironment({ PORT: '', REDIS_URL: ' ' }).port, 8080);
});
