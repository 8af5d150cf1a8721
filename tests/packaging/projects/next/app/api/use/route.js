import { SealedKeyReceiver, SessionKey, init } from "gridkey";
import { use } from "../../../use";

export const dynamic = "force-dynamic";

export async function GET() {
  return Response.json(await use({ SealedKeyReceiver, SessionKey, init }));
}
