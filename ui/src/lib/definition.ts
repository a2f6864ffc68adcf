import type { DefinitionStatus } from '$lib/wire';

const WORDS: Record<DefinitionStatus, { word: string; tone: 'good' | 'plain' | 'bad'; help: string }> = {
  active: { word: 'Active', tone: 'good', help: 'New integrations pin it.' },
  deprecated: { word: 'Superseded', tone: 'plain', help: 'A newer version exists; those that pin it keep working.' },
  withdrawn: { word: 'Withdrawn', tone: 'bad', help: 'It must not be pinned anew.' },
};

/** The status of a definition for people. */
export const definitionWord = (status: DefinitionStatus) => WORDS[status];
