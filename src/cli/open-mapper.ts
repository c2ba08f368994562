import { createChildPoolMapper } from '../mapping/child-pool-mapper.ts';
import type { Mapper } from '../mapping/mapper.ts';

/** The hub's own mapper, with the one child that a command can keep busy. */
export async function openMapper(): Promise<Mapper> {
  return createChildPoolMapper({ children: 1 });
}
