import { SessionKey, createGridkey, init } from "/pkg/index.js";

onmessage = async ({ data: { baseUrl } }) => {
  await init();
  const { status } = await createGridkey({ baseUrl }).listAuthMethods({ accountId: "InternalAccount:1" }).catch((error) => error);
  postMessage({ publicKey: SessionKey.generate().publicKey, status });
};
