import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { localPath } from '../../src/http/admin.ts';
import { createSessions, SESSION_COOKIE, SESSION_MS } from '../../src/http/session.ts';

const requestWith = (cookie: string) => ({ headers: { cookie } }) as IncomingMessage;

test('a session ends after its time, by its own account', () => {
  let nowMs = 1_000_000;
  const sessions = createSessions('a-token-of-some-length', () => nowMs);
  const request = requestWith(`other=1; ${SESSION_COOKIE}=${sessions.issue()}; more=2`);
  assert.equal(sessions.isSignedIn(request), true);
  nowMs += SESSION_MS - 1;
  assert.equal(sessions.isSignedIn(request), true);
  nowMs += 1;
  assert.equal(sessions.isSignedIn(request), false);
});

test('a new admin token ends every session', () => {
  const cookie = `${SESSION_COOKIE}=${createSessions('the-token-of-before').issue()}`;
  assert.equal(createSessions('the-token-of-now').isSignedIn(requestWith(cookie)), false);
});

test('only the token itself is the token, whatever its length', () => {
  const sessions = createSessions('a-token-of-some-length');
  assert.equal(sessions.isToken('a-token-of-some-length'), true);
  for (let length = 0; length < 60; length += 1) {
    assert.equal(sessions.isToken('a'.repeat(length)), false);
  }
});

test('only a path of this hub is a place to go to after the sign-in', () => {
  for (const path of ['/', '/queues/queue/erp?status=failed', '/events/a%20b#c']) {
    assert.equal(localPath(path), path);
  }
  for (const other of [
    '//evil.example',
    '/\\evil.example',
    'http://evil.example',
    '',
    '/a b',
    undefined,
    ['/a'],
  ]) {
    assert.equal(localPath(other), '/queues');
  }
});
