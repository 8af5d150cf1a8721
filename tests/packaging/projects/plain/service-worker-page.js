await navigator.serviceWorker.register("./service-worker.js", { type: "module" });
const { active } = await navigator.serviceWorker.ready;

globalThis.outcome = new Promise((resolve, reject) => {
  navigator.serviceWorker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
  navigator.serviceWorker.startMessages();
  active.postMessage("use");
});
