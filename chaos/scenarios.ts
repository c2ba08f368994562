// The list of all scenarios: the one place that knows them.

import type { Scenario } from './scenario.ts';
import { hubFaults } from './scenarios/hub-faults.ts';
import { postgresFaults } from './scenarios/postgres-faults.ts';
import { redisFaults } from './scenarios/redis-faults.ts';

export const scenarios: readonly Scenario[] = [
  ...hubFaults,
  ...redisFaults,
  ...postgresFaults,
].sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
