import { lazily } from './lazily'

/** What the button of a time picker opens. */
export const TimeChoices = lazily('times', () =>
  import('../components/TimeChoices').then((part) => part.TimeChoices),
)
