const { SealedKeyReceiver, SessionKey, init } = require("gridkey");
const { use } = require("./use.cjs");

use({ SealedKeyReceiver, SessionKey, init }).then((outcome) => console.log(JSON.stringify(outcome)));
