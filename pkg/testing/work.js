// What is under way in here. WebCrypto takes real time, which a fake clock has to wait for before
// it goes on: otherwise a timer that an answer sets would be set too late to go off.

let underWay = 0;
let waiting = [];

/** Runs `work` and counts it while it lasts. */
export async function counted(work) {
  underWay++;
  try {
    return await work();
  } finally {
    underWay--;
    if (underWay === 0) {
      for (const resolve of waiting) resolve();
      waiting = [];
    }
  }
}

export const isIdle = () => underWay === 0;

/** Resolves when nothing is under way. */
export const idle = () => (underWay === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve)));
