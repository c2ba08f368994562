// The list of all scenarios: the one place that knows them.

import type { Scenario } from './scenario.ts';
import { deployFaults } from './scenarios/deploy-faults.ts';
import { hubFaults } from './scenarios/hub-faults.ts';
import { laneFaults } from './scenarios/lane-faults.ts';
import { messageFaults } from './scenarios/message-faults.ts';
import { postgresFaults } from './scenarios/postgres-faults.ts';
import { redisFaults } from './scenarios/redis-faults.ts';
import { replayFaults } from './scenarios/replay-faults.ts';
import { targetFaults } from './scenarios/target-faults.ts';

const numberOf = ({ id }: Scenario): number => Number(id.slice(1));

export const scenarios: readonly Scenario[] = [
  ...hubFaults,
  ...redisFaults,
  ...postgresFaults,
  ...targetFaults,
  ...messageFaults,
  ...deployFaults,
  ...laneFaults,
  ...replayFaults,
].sort((a, b) => numberOf(a) - numberOf(b));
