// Texts that must never be seen in what the hub prints or shows.

import { adminToken } from '../test/support/hub-process.ts';
import { shopSecret } from '../test/support/test-project.ts';
import type { Leak } from './evidence.ts';

/** In every body. */
export const personCanary = 'canary-7f3a1c@person.example';
/** The ERP's bearer token. */
export const erpToken = 'token-of-the-erp-51bd02';
/** Of the scenario's own Redis. */
export const redisPassword = 'password-of-redis-9c04e7';

export function canariesOf(databaseUrl: string): Readonly<Record<string, string>> {
  return {
    "a person's e-mail address": personCanary,
    "the ERP's token": erpToken,
    "the shop's secret": shopSecret,
    'the admin token': adminToken,
    "Redis' password": redisPassword,
    "the journal's password": new URL(databaseUrl).password,
  };
}

export function findLeaks(
  texts: readonly { readonly where: string; readonly text: string }[],
  canaries: Readonly<Record<string, string>>,
): readonly Leak[] {
  return texts.flatMap(({ where, text }) =>
    Object.entries(canaries)
      .filter(([, canary]) => canary !== '' && text.includes(canary))
      .map(([what]) => ({ where, what })),
  );
}
