import type { RefreshAttempt } from '$lib/wire';

export interface StepWords {
  word: string;
  help: string;
}

const STEPS: Record<string, StepWords> = {
  intent: { word: 'Intended', help: 'Written down before anything was sent.' },
  sent: { word: 'Sent', help: 'The request left this process.' },
  granted: { word: 'Granted', help: 'The provider answered with new tokens.' },
  activated: { word: 'In force', help: 'The new tokens were stored and are used from here on.' },
  proven: { word: 'Proven', help: 'The first call with the new token was accepted.' },
  unchanged: { word: 'Unchanged', help: 'The provider changed nothing, or nothing was sent.' },
  lost: { word: 'Lost', help: 'No answer came; nobody knows whether the provider acted.' },
  dead: { word: 'Refused', help: 'The provider refuses the token for good.' },
  taken_over: { word: 'Taken over', help: 'The process that had sent it is dead, and another went on.' },
  race_found: { word: 'Overtaken', help: 'Other tokens had come into force meanwhile; those are used.' },
  introspected: { word: 'Asked', help: 'The provider was asked whether the token still holds.' },
  attention: { word: 'Needs a person', help: 'A person has to connect again.' },
  reconnected: { word: 'Connected again', help: 'A person connected again; the tokens before are spent.' },
  revoked: { word: 'Ended', help: 'The grant was ended on purpose.' },
  finding: { word: 'Noticed', help: 'Something in the answer is not as it should be.' },
};

/** A step of the journal in words; one of a newer server stands under its own. */
export const stepWords = (step: string): StepWords => STEPS[step] ?? { word: step.replaceAll('_', ' '), help: '' };

/** What a step says in words of its own, where it does. */
export const wordsOf = (note: unknown): string => (typeof note === 'object' && note !== null && 'words' in note && typeof note.words === 'string' ? note.words : '');

/** How an attempt ended: whether that is good, open, or needs somebody. */
export function ending(attempt: RefreshAttempt): 'good' | 'wait' | 'warn' | 'bad' {
  switch (attempt.outcome) {
    case 'proven':
    case 'activated':
    case 'reconnected':
    case 'race_found':
    case 'granted':
      return 'good';
    case 'dead':
    case 'attention':
      return 'bad';
    case 'lost':
    case 'taken_over':
      return 'warn';
    default:
      return 'wait';
  }
}

/** Why it was begun. */
export function because(attempt: RefreshAttempt): string {
  switch (attempt.reason) {
    case 'due':
      return 'The access token was about to end';
    case 'refused':
      return 'The provider refused the access token';
    case undefined:
      return 'A person connected';
    default:
      return attempt.reason;
  }
}

/** The time of day with seconds: steps of one attempt lie close together. */
export const clock = (at: string): string => new Date(at).toLocaleTimeString('en-GB', { hour12: false });
