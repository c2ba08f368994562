import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFairPlaces, LOW_PLACE } from '../../src/queue/fair-places.ts';

test('a tenant that has nothing waiting stands before the flood of another', () => {
  const places = createFairPlaces();
  const flood = Array.from({ length: 1_000 }, (_, index) => places.next('a', Math.min(index, 1)));
  assert.equal(flood.at(-1), 1_000);
  // The flood has been worked on up to its 400th.
  const first = places.next('b', 401);
  assert.ok(first < 401, `${first}`);
  assert.equal(places.next('b', first), first + 1);
});

test('one that comes back to its low place does not make the others begin anew', () => {
  const places = createFairPlaces();
  for (let count = 0; count < 500; count += 1) places.next('a', 1);
  assert.equal(places.next('b', 401), 400);
  assert.equal(places.from, 399, 'a job at 5 is not asked for');
  assert.equal(places.next('a', 400), 501);
  assert.equal(places.next('b', 400), 401);
});

test('those that come new one after the other keep their order', () => {
  const places = createFairPlaces();
  places.next('a', 0);
  const head = places.next('b', 401);
  const later = ['c', 'd', 'e', 'f'].map((tenant) => places.next(tenant, head));
  assert.ok(later.every((place) => place >= head && place < 401));
});

test('begins anew when the lane has been empty', () => {
  const places = createFairPlaces();
  for (let count = 0; count < 50; count += 1) places.next('a', 1);
  assert.equal(places.next('a', 0), 1);
});

test('what goes last is not taken for the head', () => {
  const places = createFairPlaces();
  assert.equal(places.next('a', LOW_PLACE), 1);
});

test('forgets who has nothing waiting, and never leaves the range of BullMQ', () => {
  const places = createFairPlaces();
  for (let tenant = 0; tenant < 25_000; tenant += 1) {
    const place = places.next(`t${tenant}`, LOW_PLACE - 1);
    assert.ok(place >= 1 && place < LOW_PLACE);
  }
});
