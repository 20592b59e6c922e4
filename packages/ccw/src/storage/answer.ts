/**
 * What may be there at once. A channel program is thousands of small questions, to storage and to devices that mostly know the answer;
 * a promise for each of them costs more than all the rest, so there is one only where something is waited for.
 */

export type Answer<T> = T | Promise<T>;

/** What `next` makes of the answer, at once if it is there. */
export function after<T, U>(answer: Answer<T>, next: (value: T) => Answer<U>): Answer<U> {
  return answer instanceof Promise ? answer.then(next) : next(answer);
}

/** Asks, and gives what goes wrong to `failed`, whether it is thrown at once or comes later. */
export function attempt<T>(ask: () => Answer<T>, failed: (error: unknown) => Answer<T>): Answer<T> {
  try {
    const answer = ask();
    return answer instanceof Promise ? answer.catch(failed) : answer;
  } catch (error) {
    return failed(error);
  }
}
