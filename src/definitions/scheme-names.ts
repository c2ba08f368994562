/** Ways to verify that have their own code: `scheme` names one. `intake/schemes.ts` has each. */
export const schemeNames = ['sns', 'twilio'] as const;

export type SchemeName = (typeof schemeNames)[number];
