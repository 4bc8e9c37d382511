/**
 * Programs that mint a token as the generator does, each with the standard library of its language alone. Pure. The key and its
 * secret come from the environment, so that no program contains them.
 */

export interface Claims {
  permissions: readonly string[]
  roles?: readonly string[]
  roomId?: string
  participantId?: string
}

export interface Wanted {
  claims: Claims
  expiresInSeconds: number
  /** The address of the server, for the call by curl. */
  origin: string
}

export const languages = ['curl', 'Node', 'Python', 'PHP', 'Go', 'Java'] as const
export type Language = (typeof languages)[number]

export function codeFor(language: Language, wanted: Wanted): string {
  return programs[language]({ ...wanted, claims: wholeClaims(wanted.claims) })
}

/** The same claims as the server mints: a token for one meeting or participant is for joining, and roles need version 2. */
function wholeClaims({ permissions, roles, roomId, participantId }: Claims): Claims & { version?: number } {
  const isBound = roomId !== undefined || participantId !== undefined
  const all = roles ?? (isBound ? ['rtc'] : undefined)
  return {
    permissions,
    ...(all && { version: 2, roles: all }),
    ...(roomId !== undefined && { roomId }),
    ...(participantId !== undefined && { participantId }),
  }
}

/** Quotes a text for a shell. */
const forShell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
const forPhp = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(forPhp).join(', ')}]`
    : typeof value === 'string'
      ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
      : String(value)
/** JSON is a valid literal in Node and Python, and in Go except for arrays. */
const literal = (value: unknown): string => JSON.stringify(value)
const forGo = (value: unknown): string =>
  Array.isArray(value) ? `[]string{${value.map(literal).join(', ')}}` : literal(value)
const lines = (claims: object, toLine: (name: string, value: unknown) => string): string =>
  Object.entries(claims)
    .map(([name, value]) => toLine(name, value))
    .join('\n')
/** JSON without its last bracket, so that more claims can follow. */
const open = (claims: object): string => JSON.stringify(claims).slice(1, -1)

const programs: Record<Language, (wanted: Wanted) => string> = {
  curl: ({ claims, expiresInSeconds, origin }) => `#!/bin/sh
# Needs openssl. VIDEOSDK_API_KEY and VIDEOSDK_SECRET_KEY are in the environment.
set -eu
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
now=$(date +%s)
header=$(printf '%s' '{"alg":"HS256","typ":"JWT"}' | base64url)
payload=$(printf '{"apikey":"%s",%s,"iat":%d,"exp":%d,"jti":"%s"}' "$VIDEOSDK_API_KEY" ${forShell(open(claims))} \\
  "$now" "$((now + ${expiresInSeconds}))" "$(openssl rand -hex 16)" | base64url)
signature=$(printf '%s' "$header.$payload" | openssl dgst -sha256 -hmac "$VIDEOSDK_SECRET_KEY" -binary | base64url)
token="$header.$payload.$signature"
echo "$token"
${
  claims.roles && !claims.roles.includes('crawler')
    ? '# It is for joining; the REST API wants the role "crawler".'
    : `# curl -H "Authorization: $token" ${forShell(`${origin}/v2/rooms`)}`
}
`,
  Node: ({ claims, expiresInSeconds }) => `import { createHmac, randomUUID } from 'node:crypto'

const { VIDEOSDK_API_KEY, VIDEOSDK_SECRET_KEY } = process.env
const now = Math.floor(Date.now() / 1000)
const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url')
const unsigned = [
  { alg: 'HS256', typ: 'JWT' },
  {
    apikey: VIDEOSDK_API_KEY,
${lines(claims, (name, value) => `    ${name}: ${literal(value)},`)}
    iat: now,
    exp: now + ${expiresInSeconds},
    jti: randomUUID(),
  },
].map(encode).join('.')
const signature = createHmac('sha256', VIDEOSDK_SECRET_KEY).update(unsigned).digest('base64url')
console.log(\`\${unsigned}.\${signature}\`)
`,
  Python: ({ claims, expiresInSeconds }) => `import base64, hashlib, hmac, json, os, time, uuid

def encode(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")

now = int(time.time())
claims = {
    "apikey": os.environ["VIDEOSDK_API_KEY"],
${lines(claims, (name, value) => `    "${name}": ${literal(value)},`)}
    "iat": now,
    "exp": now + ${expiresInSeconds},
    "jti": str(uuid.uuid4()),
}
header = {"alg": "HS256", "typ": "JWT"}
unsigned = b".".join(encode(json.dumps(part).encode()) for part in (header, claims))
secret = os.environ["VIDEOSDK_SECRET_KEY"].encode()
signature = encode(hmac.new(secret, unsigned, hashlib.sha256).digest())
print((unsigned + b"." + signature).decode())
`,
  PHP: ({ claims, expiresInSeconds }) => `<?php
function encode(string $part): string {
    return rtrim(strtr(base64_encode($part), '+/', '-_'), '=');
}

$now = time();
$claims = [
    'apikey' => getenv('VIDEOSDK_API_KEY'),
${lines(claims, (name, value) => `    '${name}' => ${forPhp(value)},`)}
    'iat' => $now,
    'exp' => $now + ${expiresInSeconds},
    'jti' => bin2hex(random_bytes(16)),
];
$unsigned = encode(json_encode(['alg' => 'HS256', 'typ' => 'JWT'])) . '.' . encode(json_encode($claims));
$signature = encode(hash_hmac('sha256', $unsigned, getenv('VIDEOSDK_SECRET_KEY'), true));
echo "$unsigned.$signature\\n";
`,
  Go: ({ claims, expiresInSeconds }) => `package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

func encode(part any) string {
	text, err := json.Marshal(part)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func main() {
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		panic(err)
	}
	now := time.Now().Unix()
	unsigned := encode(map[string]any{"alg": "HS256", "typ": "JWT"}) + "." + encode(map[string]any{
		"apikey": os.Getenv("VIDEOSDK_API_KEY"),
${lines(claims, (name, value) => `		"${name}": ${forGo(value)},`)}
		"iat": now,
		"exp": now + ${expiresInSeconds},
		"jti": hex.EncodeToString(id),
	})
	mac := hmac.New(sha256.New, []byte(os.Getenv("VIDEOSDK_SECRET_KEY")))
	mac.Write([]byte(unsigned))
	fmt.Println(unsigned + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
}
`,
  Java: ({ claims, expiresInSeconds }) => `import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Token {
    static String encode(byte[] part) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(part);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws Exception {
        long now = Instant.now().getEpochSecond();
        String claims = "{\\"apikey\\":\\"" + System.getenv("VIDEOSDK_API_KEY") + "\\","
            + ${literal(open(claims))}
            + ",\\"iat\\":" + now + ",\\"exp\\":" + (now + ${expiresInSeconds})
            + ",\\"jti\\":\\"" + UUID.randomUUID() + "\\"}";
        String unsigned = encode(bytes("{\\"alg\\":\\"HS256\\",\\"typ\\":\\"JWT\\"}")) + "." + encode(bytes(claims));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(bytes(System.getenv("VIDEOSDK_SECRET_KEY")), "HmacSHA256"));
        System.out.println(unsigned + "." + encode(mac.doFinal(bytes(unsigned))));
    }
}
`,
}
