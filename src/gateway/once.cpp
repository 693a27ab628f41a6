#include "gateway/once.hpp"

#include <sodium.h>

#include "bottega/core/digest.hpp"

namespace bottega::gateway {
namespace {

constexpr std::size_t kKeyMax = 255;

struct Kept {
  std::string digest;
  std::optional<std::int64_t> status;
  std::optional<std::string> reply, resource;
  bool is_locked = false;
};
BOOST_DESCRIBE_STRUCT(Kept, (), (digest, status, reply, resource, is_locked))

const Sql<void(std::string, std::string, std::string, std::string, std::string, Instant,
               std::int64_t)>
    kClaim{"once.claim", R"(
    INSERT INTO idempotency_keys (identity, method, path, key_hash, digest, locked_until,
                                  created_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + make_interval(secs => $7::bigint), $6)
    ON CONFLICT (identity, method, path, key_hash) DO NOTHING)"};

const Sql<Kept(std::string, std::string, std::string, std::string)> kLock{"once.lock", R"(
    SELECT digest, status, reply, resource, locked_until > clock_timestamp() AS is_locked
    FROM idempotency_keys WHERE identity = $1 AND method = $2 AND path = $3 AND key_hash = $4
    FOR UPDATE)"};

const Sql<Kept(std::string, std::string, std::string, std::string)> kFind{"once.find", R"(
    SELECT digest, status, reply, resource, locked_until > clock_timestamp() AS is_locked
    FROM idempotency_keys WHERE identity = $1 AND method = $2 AND path = $3 AND key_hash = $4)"};

const Sql<void(std::string, std::string, std::string, std::string, std::int64_t)> kTakeOver{
    "once.take_over", R"(
    UPDATE idempotency_keys SET locked_until = clock_timestamp() + make_interval(secs => $5::bigint)
    WHERE identity = $1 AND method = $2 AND path = $3 AND key_hash = $4)"};

const Sql<void(std::string, std::string, std::string, std::string)> kLetGo{"once.let_go", R"(
    UPDATE idempotency_keys SET locked_until = clock_timestamp()
    WHERE identity = $1 AND method = $2 AND path = $3 AND key_hash = $4 AND status IS NULL)"};

const Sql<void(std::string, std::string, std::string, std::string, std::string)> kResource{
    "once.resource", R"(
    UPDATE idempotency_keys SET resource = $5
    WHERE identity = $1 AND method = $2 AND path = $3 AND key_hash = $4)"};

const Sql<void(std::string, std::string, std::string, std::string, std::int64_t, std::string)>
    kKeep{"once.keep", R"(
    UPDATE idempotency_keys SET status = $5, reply = $6
    WHERE identity = $1 AND method = $2 AND path = $3 AND key_hash = $4)"};

using Words = std::vector<std::string>;

// The limit says how many they are (see conversations.write_entries).
const Sql<std::int64_t(Words, Words, Words, Words, std::int64_t)> kKnown{"once.known", R"(
    SELECT given.n
    FROM (SELECT identity, method, path, key_hash, n
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
                 WITH ORDINALITY AS one (identity, method, path, key_hash, n)
          LIMIT $5::bigint) given
    WHERE EXISTS (SELECT FROM idempotency_keys k
                  WHERE k.identity = given.identity AND k.method = given.method
                    AND k.path = given.path AND k.key_hash = given.key_hash OFFSET 0))"};

const Sql<void(Words, Words, Words, Words, Words, std::vector<std::int64_t>, Words, Instant)>
    kKeepNew{"once.keep_new", R"(
    INSERT INTO idempotency_keys (identity, method, path, key_hash, digest, status, reply,
                                  locked_until, created_at)
    SELECT identity, method, path, key_hash, digest, status, reply, clock_timestamp(), $8
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[],
                $7::text[])
           AS given (identity, method, path, key_hash, digest, status, reply)
    ORDER BY identity, method, path, key_hash
    ON CONFLICT (identity, method, path, key_hash) DO NOTHING)"};

// Taken for interrupted, each, so many seconds from now.
const Sql<void(Words, Words, Words, Words, Words, Words, std::vector<std::int64_t>, Instant)>
    kClaimNew{"once.claim_new", R"(
    INSERT INTO idempotency_keys (identity, method, path, key_hash, digest, resource, locked_until,
                                  created_at)
    SELECT identity, method, path, key_hash, digest, resource,
           clock_timestamp() + make_interval(secs => patience), $8
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                $7::bigint[])
           AS given (identity, method, path, key_hash, digest, resource, patience)
    ORDER BY identity, method, path, key_hash
    ON CONFLICT (identity, method, path, key_hash) DO NOTHING)"};

const Sql<void(Words, Words, Words, Words, std::vector<std::int64_t>, Words, std::int64_t)>
    kKeepAll{"once.keep_all", R"(
    UPDATE idempotency_keys k SET status = given.status, reply = given.reply
    FROM (SELECT identity, method, path, key_hash, status, reply
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
                 AS one (identity, method, path, key_hash, status, reply)
          LIMIT $7::bigint) given
    WHERE k.identity = given.identity AND k.method = given.method AND k.path = given.path
      AND k.key_hash = given.key_hash)"};

const Sql<void(Instant)> kSweep{"once.sweep", R"(
    DELETE FROM idempotency_keys WHERE created_at < $1)"};

std::string hash_of(const OnceKey& key) { return sha256_hex("idempotency:" + key.key); }

std::string sealing_key(const OnceKey& key) {
  std::string out(crypto_secretbox_KEYBYTES, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                     reinterpret_cast<const unsigned char*>(key.key.data()), key.key.size(),
                     nullptr, 0);
  return out;
}

const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string seal(const OnceKey& key, const std::string& text) {
  std::string nonce(crypto_secretbox_NONCEBYTES, '\0');
  fill_random(std::as_writable_bytes(std::span(nonce.data(), nonce.size())));
  std::string box(text.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(reinterpret_cast<unsigned char*>(box.data()), bytes(text), text.size(),
                        bytes(nonce), bytes(sealing_key(key)));
  return base64url(nonce + box);
}

std::string unseal(const OnceKey& key, const std::string& sealed) {
  const auto raw = from_base64url(sealed).value_or("");
  constexpr std::size_t head = crypto_secretbox_NONCEBYTES, tail = crypto_secretbox_MACBYTES;
  if (raw.size() < head + tail) throw Error(Code::internal, "a kept reply is damaged");
  const std::string nonce = raw.substr(0, head), box = raw.substr(head);
  std::string text(box.size() - tail, '\0');
  if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(text.data()), bytes(box),
                                 box.size(), bytes(nonce), bytes(sealing_key(key))) != 0)
    throw Error(Code::internal, "a kept reply is damaged");
  return text;
}

Reply read_reply(const OnceKey& key, const Kept& kept) {
  const auto stored = Json::parse(unseal(key, kept.reply.value_or("")));
  Reply reply;
  reply.status = static_cast<unsigned>(kept.status.value_or(500));
  reply.body = stored.at("body");
  reply.media_type = stored.at("media_type");
  for (const auto& [name, value] : stored.at("headers").items())
    reply.headers.emplace_back(name, value.get<std::string>());
  reply.headers.emplace_back("Idempotent-Replayed", "true");
  return reply;
}

std::string sealed_reply(const OnceKey& key, const Reply& reply) {
  Json headers = Json::object();
  for (const auto& [name, value] : reply.headers) headers[name] = value;
  const Json stored = {
      {"body", reply.body}, {"media_type", reply.media_type}, {"headers", headers}};
  return seal(key, stored.dump());
}

struct KeyColumns {
  Words identities, methods, paths, hashes;
  void add(const OnceKey& key) {
    identities.push_back(key.identity);
    methods.push_back(key.method);
    paths.push_back(key.path);
    hashes.push_back(hash_of(key));
  }
};

// The row as another try left it; throws where it ends this request.
Kept look(Tx& tx, const OnceKey& key) {
  auto kept = tx.one(kLock, key.identity, key.method, key.path, hash_of(key));
  if (!constant_time_equal(kept.digest, key.digest))
    throw Error(Code::idempotency_key_reused, "the key came with another body before");
  if (kept.status) throw Replayed{read_reply(key, kept)};
  return kept;
}

bool insert(Tx& tx, const OnceKey& key, std::chrono::seconds patience) {
  return tx.run(kClaim, key.identity, key.method, key.path, hash_of(key), key.digest, tx.now(),
                patience.count()) == 1;
}

std::string unquoted(std::string_view given) {
  if (given.size() >= 2 && given.front() == '"' && given.back() == '"')
    given = given.substr(1, given.size() - 2);
  return std::string(given);
}

std::string digest_of(const Request& request, const std::string& key) {
  if (request.json) return hmac_sha256_hex(key, canonical_json(*request.json));
  std::string text = request.body;
  if (request.media_type == "application/json" && !text.empty())
    text = canonical_json(parse_json(text));
  return hmac_sha256_hex(key, text);
}

}  // namespace

std::optional<OnceKey> once_key(const Request& request) {
  const auto given = request.header("idempotency-key");
  if (given.data() == nullptr) return std::nullopt;
  const auto key = unquoted(given);
  const bool printable = std::ranges::all_of(key, [](char c) { return c > ' ' && c < 0x7f; });
  if (key.empty() || key.size() > kKeyMax || !printable)
    throw Error(Code::malformed, "an Idempotency-Key has 1 to 255 visible characters");
  auto identity = request.who.actor();
  if (request.who.kind == identity::Kind::nobody) identity += ":" + request.address;
  return OnceKey{identity, text_of(request.verb), request.path, key, digest_of(request, key)};
}

bool is_begun(Tx& tx, const OnceKey& key) {
  const auto kept = tx.find(kFind, key.identity, key.method, key.path, hash_of(key));
  if (!kept || !constant_time_equal(kept->digest, key.digest)) return false;
  if (kept->status) throw Replayed{read_reply(key, *kept)};
  return true;
}

void claim(Tx& tx, const OnceKey& key) {
  // The row is locked by this transaction until it is answered: nobody needs patience with it.
  if (insert(tx, key, std::chrono::seconds(0))) return;
  look(tx, key);
  throw Error(Code::in_flight, "the same request is being worked on")
      .retry_after(std::chrono::seconds(1));
}

std::optional<std::string> claim_flow(Tx& tx, const OnceKey& key, std::chrono::seconds patience) {
  if (insert(tx, key, patience)) return std::nullopt;
  const auto kept = look(tx, key);
  if (kept.is_locked || !kept.resource)
    throw Error(Code::in_flight, "the same request is being worked on")
        .retry_after(std::chrono::seconds(2));
  tx.run(kTakeOver, key.identity, key.method, key.path, hash_of(key), patience.count());
  return kept.resource;
}

void note_resource(Tx& tx, const OnceKey& key, const std::string& resource) {
  tx.run(kResource, key.identity, key.method, key.path, hash_of(key), resource);
}

void keep(Tx& tx, const OnceKey& key, const Reply& reply) {
  tx.run(kKeep, key.identity, key.method, key.path, hash_of(key),
         static_cast<std::int64_t>(reply.status), sealed_reply(key, reply));
}

std::set<const OnceKey*> known_among(Tx& tx, const std::vector<const OnceKey*>& keys) {
  std::set<const OnceKey*> known;
  if (keys.empty()) return known;
  KeyColumns columns;
  for (const auto* key : keys) columns.add(*key);
  for (const auto n : tx.all(kKnown, columns.identities, columns.methods, columns.paths,
                             columns.hashes, std::ssize(keys)))
    known.insert(keys.at(static_cast<std::size_t>(n - 1)));
  return known;
}

bool keep_new(Tx& tx, const std::vector<std::pair<const OnceKey*, const Reply*>>& replies) {
  if (replies.empty()) return true;
  KeyColumns columns;
  Words digests, sealed;
  std::vector<std::int64_t> statuses;
  for (const auto& [key, reply] : replies) {
    columns.add(*key);
    digests.push_back(key->digest);
    statuses.push_back(static_cast<std::int64_t>(reply->status));
    sealed.push_back(sealed_reply(*key, *reply));
  }
  return tx.run(kKeepNew, columns.identities, columns.methods, columns.paths, columns.hashes,
                digests, statuses, sealed, tx.now()) == replies.size();
}

bool claim_flows(Tx& tx, const std::vector<std::pair<const OnceKey*, const Flow*>>& flows) {
  if (flows.empty()) return true;
  KeyColumns columns;
  Words digests, resources;
  std::vector<std::int64_t> patiences;
  for (const auto& [key, flow] : flows) {
    columns.add(*key);
    digests.push_back(key->digest);
    resources.push_back(flow->resource);
    patiences.push_back(flow->patience.count());
  }
  return tx.run(kClaimNew, columns.identities, columns.methods, columns.paths, columns.hashes,
                digests, resources, patiences, tx.now()) == flows.size();
}

void keep_all(Tx& tx, const std::vector<std::pair<const OnceKey*, const Reply*>>& replies) {
  if (replies.empty()) return;
  KeyColumns columns;
  Words sealed;
  std::vector<std::int64_t> statuses;
  for (const auto& [key, reply] : replies) {
    columns.add(*key);
    statuses.push_back(static_cast<std::int64_t>(reply->status));
    sealed.push_back(sealed_reply(*key, *reply));
  }
  tx.run(kKeepAll, columns.identities, columns.methods, columns.paths, columns.hashes, statuses,
         sealed, std::ssize(statuses));
}

void let_go(Tx& tx, const OnceKey& key) {
  tx.run(kLetGo, key.identity, key.method, key.path, hash_of(key));
}

std::int64_t sweep_once(Tx& tx) {
  return static_cast<std::int64_t>(tx.run(kSweep, tx.now() - std::chrono::days(7)));
}

}  // namespace bottega::gateway
