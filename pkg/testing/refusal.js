// How the test Grid refuses: in the shape of Grid's errors.

/** To be thrown; it becomes the answer. */
export class Refusal {
  constructor(status, body) {
    this.status = status;
    this.body = body;
  }
}

/** `reason` is the finer word that gridkey's errors have too. */
export const refusal = (status, code, reason, message) =>
  new Refusal(status, { status, code, message, details: { reason } });
