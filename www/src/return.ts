// Where an identity provider sends its window back to: hands the answer to the page that opened it.

import { takeProviderAnswer } from "./provider-answer.ts";

const answer = takeProviderAnswer();
if (answer !== undefined && window.opener !== null) {
  (window.opener as Window).postMessage(answer, location.origin);
  window.close();
}
