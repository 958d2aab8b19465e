// The messages of the protocol as plain values. common/wire/*.capnp holds their wire form, codec.h turns one
// into the other; docs/ARCHITECTURE.md tells the conversations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/buffer.h"
#include "common/node_id.h"
#include "common/table_spec.h"
#include "common/trace_message.h"
#include "common/work_message.h"

namespace capstan {

inline constexpr std::uint32_t kProtocolVersion = 3;

enum class Role : std::uint8_t { kScheduler, kServer, kWorker, kTool };
std::string_view to_string(Role role);

// ---- greeting
struct Hello {
  std::uint32_t protocol_version = kProtocolVersion;
  std::string job_id;
  Role role = Role::kTool;
  std::string name;
  std::uint64_t incarnation = 0;
  std::string endpoint;
  std::string host, zone;
  std::uint64_t memory_limit = 0;
  std::uint32_t generation = 0, run = 0;  // of the newest welcome; 0: none yet
};
struct Welcome {
  std::uint32_t generation = 0;
  NodeId node_id = 0;
  std::uint32_t lease_ms = 0;
  std::uint32_t grace_ms = 0;
  std::string job_text;
  std::uint32_t run = 0;            // generation that the job began with
  std::uint64_t catch_up_rate = 0;  // bytes a second to each server that learns a shard; 0: no limit
};
enum class RefusalReason : std::uint8_t {
  kOtherVersion,
  kOtherJob,
  kNotGreeted,
  kNameTaken,
  kJobEnded,
  kOtherRole,
};
struct Refusal {
  RefusalReason reason = RefusalReason::kNotGreeted;
  std::string text;
};

// ---- membership
struct ShardLoad {
  std::uint32_t shard = 0;
  float rows_per_second = 0.0F;  // pulled and pushed
};
struct Heartbeat {
  NodeId node_id = 0;
  std::uint64_t incarnation = 0;
  std::int64_t sent_at = 0;
  std::uint64_t map_version = 0;
  std::string stats_json;
  std::uint64_t rows = 0, bytes = 0, clock = 0;
  std::vector<ShardLoad> loads{};  // now and then: of the shards that the sender leads
};
struct HeartbeatReply {
  std::int64_t sent_at = 0;
  std::uint32_t lease_ms = 0;
  std::uint64_t map_version = 0;
};
struct MapRequest {
  std::uint64_t known_version = 0;
};
struct NodeAddress {
  NodeId node_id = 0;
  std::string name, endpoint;
  std::uint64_t memory_limit = 0;  // bytes of rows; 0: none
};
struct ShardEntry {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
  std::vector<NodeId> chain;  // primary first
  NodeId learner = 0;         // copies the shard from the chain's last member, to follow it; 0: nobody
};
struct MapUpdate {
  std::uint64_t version = 0;
  std::uint32_t num_shards = 0;
  std::vector<NodeAddress> nodes;
  std::vector<ShardEntry> shards;
  std::uint32_t sketch_width = 0;  // a server's answer: as its tables were declared
};
struct DeclareTables {
  std::vector<TableSpec> tables;
  std::uint32_t num_slots = 0;
  bool combine_steps = false;
  std::uint64_t fence = 0;         // lower terms are of a former cluster's workers
  std::uint32_t sketch_width = 0;  // of admission sketches; 0: the usual one
  std::string proof_path{},
      proof_text{};  // common/shared_folder.h, of the folder of checkpoints; empty: none
};
struct TablesReady {
  std::string error;
  std::string wrote{};  // in answer to the proof
};

// ---- rows
struct Section {
  std::uint32_t table = 0, count = 0;
};
struct PullSlice {
  std::uint32_t shard = 0;
  std::vector<Section> sections;
};
struct Pull {
  std::uint64_t map_version = 0;
  std::uint32_t pass = 0;
  std::uint64_t needs_clock = 0;
  std::vector<PullSlice> slices;
  Buffer keys;
  std::uint64_t term = 0;
  bool of_copies = false;    // a backup may answer, if its copy has what is needed
  std::uint32_t stream = 0;  // with `batch` only for traces
  std::uint64_t batch = 0;
};
enum class SliceStatus : std::uint8_t {
  kOk,         // applied, or rows are in the reply
  kDuplicate,  // had been applied before: as good as kOk
  kStale,      // not this server's shard, or no lease: fetch the map and ask again
  kFenced,     // a higher term has been here: the sender has lost its lease of the partition
  kGap,        // a batch before this one is missing: resend from the first unacknowledged
  kRefused,    // bad values (NaN, wrong size); its sequence number is consumed
  kBusy,       // not queued: send again later
};
struct SliceResult {
  std::uint32_t shard = 0;
  SliceStatus status = SliceStatus::kOk;
  std::uint64_t version = 0;
};
struct PullReply {
  std::uint64_t map_version = 0;
  std::vector<SliceResult> slices;
  Buffer rows;
};
struct PushSlice {
  std::uint32_t shard = 0;
  std::uint64_t previous = 0, pulled_version = 0;
  std::vector<Section> sections;
};
struct Push {
  std::uint64_t map_version = 0;
  std::uint32_t pass = 0, partition = 0;
  std::uint64_t term = 0, sequence = 0, step = 0;
  std::vector<PushSlice> slices;
  Buffer keys, gradients;
};
struct PushReply {
  std::uint64_t map_version = 0;
  std::vector<SliceResult> slices;
};
struct GetRows {
  std::string table;
  Buffer keys;
};
struct GetRowsReply {
  std::vector<bool> found;
  std::uint32_t row_bytes = 0;
  std::string owner, error;
  Buffer rows;
};

// ---- checkpoint
struct Snapshot {
  std::uint64_t checkpoint = 0;
  std::string directory;
  std::uint32_t pass = 0;
  std::uint64_t after_step = 0;
  std::uint32_t forget_below_pass = 0;
  std::uint64_t map_version = 0;  // the server answers once it knows this map
  std::uint64_t base = 0;  // the checkpoint whose rows may be left out where they have not changed; 0: none
  std::uint64_t forget_direct_below = 0;  // direct streams of lower terms are closed
};
// A shard in a file of a checkpoint: all of it, or what changed since another one.
struct ShardSection {
  std::uint32_t shard = 0;
  std::uint64_t offset = 0, length = 0, checksum = 0;
  std::uint64_t rows = 0;  // of the shard, whether or not they are in the section
  std::string file;
  std::string folder;      // beside the checkpoint's own; empty: in that
  std::uint64_t base = 0;  // the checkpoint that it goes on from; 0: it is whole
};
struct SnapshotReply {
  std::uint64_t checkpoint = 0;
  std::string file;
  std::vector<ShardSection> sections;
  std::string error;
  bool too_late = false, no_space = false;
};
struct Restore {
  std::string directory;
  std::vector<ShardSection> sections;  // by shard; of each the whole one first, then what changed, in order
};
struct RestoreReply {
  std::uint64_t rows = 0;
  std::string error;
  bool damaged = false;      // the checkpoint itself cannot be used
  std::string damaged_file;  // whose section at `damaged_offset` is not what was written; empty: not known
  std::uint64_t damaged_offset = 0;
};

// ---- replication: a server with the next of a shard's chain
enum class RecordKind : std::uint8_t { kPush, kEvict, kForget, kReplace };
// One change of a shard. Whoever replays a shard's records in order holds the same bytes.
struct ReplicaRecord {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;     // of the shard, as the sender knows it
  std::uint64_t position = 0;  // counts the shard's records from 1
  RecordKind kind = RecordKind::kPush;
  std::uint32_t pass = 0, partition = 0;  // kForget: passes below `pass`, and direct streams below `term`
  std::uint64_t term = 0, sequence = 0, previous = 0;  // kReplace: terms below `term` are fenced
  std::uint64_t step = 0;                              // kPush
  std::uint32_t now_seconds = 0;
  bool refused = false;  // kPush: only its number counts
  bool full = false;     // kPush: no row came in that was not there
  std::vector<Section> sections;
  std::vector<std::uint64_t> evicted;  // kEvict: rows a table, beside those that are expired
  std::uint64_t blob_bytes = 0;        // kReplace: a snapshot
};
struct Replicate {
  NodeId sender = 0;
  std::uint64_t map_version = 0;
  std::vector<ReplicaRecord> records;
  Buffer keys, gradients, blob;  // of all records, one after the other
};
enum class ReplicaStatus : std::uint8_t {
  kOk,     // the receiver and all after it hold the records up to `position`
  kGap,    // it holds them up to `position`; the one after that has not come
  kStale,  // the sender is not before it in the chain
  kBusy,   // it does not know the shard's tables or chain yet, or has no rows to replay upon
};
struct ReplicaAck {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
  ReplicaStatus status = ReplicaStatus::kOk;
  std::uint64_t position = 0;
};
struct ReplicateReply {
  std::uint64_t map_version = 0;
  std::vector<ReplicaAck> acks;
};
// A part of a shard on its way to a learner.
struct ShardChunk {
  NodeId sender = 0;
  std::uint64_t map_version = 0;
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0, session = 0;  // session: one attempt to hand over the shard
  std::uint32_t index = 0, count = 0;    // chunk `index` of `count`
  std::uint64_t position = 0;            // of the last record that the shard's bytes contain
  DeclareTables declare;
  Buffer bytes;
};
struct ShardChunkReply {
  std::uint64_t map_version = 0;
  ReplicaStatus status = ReplicaStatus::kOk;
  std::uint32_t next = 0;  // the chunk wanted next; `count`: the shard is in place
};
// A chain's last member to the scheduler: from now on nothing is acknowledged that these learners lack.
struct LearnersReady {
  struct Entry {
    std::uint32_t shard = 0;
    std::uint64_t epoch = 0;
    NodeId learner = 0;
  };
  NodeId node_id = 0;
  std::vector<Entry> shards;
};

// The scheduler to a primary: take no more pushes for these shards, and tell when all members of their chains
// hold the same. Until their epochs rise nobody serves them then.
struct ShardAt {
  std::uint32_t shard = 0;
  std::uint64_t epoch = 0;
};
struct HandOver {
  std::vector<ShardAt> shards;
};
struct HandedOver {
  NodeId node_id = 0;
  std::vector<ShardAt> shards;
};

// A primary to the others of its chains while the scheduler is silent: will you leave them to me for a lease?
struct PromiseRequest {
  NodeId sender = 0;
  std::uint64_t map_version = 0;
};
struct Promise {
  bool granted = false;  // for every shard that the sender leads by the map of this version
  std::uint64_t map_version = 0;
};

// ---- control
struct StatusRequest {};
struct StatusReply {
  std::string json;
};
struct StopJob {
  std::string reason;
  bool checkpoint = false;
};
struct JobEnded {
  bool ok = false;
  std::string text;
};

// An operator to the scheduler. The answer's JSON has the moves of shards that follow from it.
struct ChangeServers {
  std::string drain;      // this server shall hold nothing, and then leave; empty: none
  std::uint32_t add = 0;  // so many more are wanted
  bool dry_run = false;   // only tell what would follow
};
struct ChangeServersReply {
  std::string error, json;
};

struct TablesRequest {};
struct TablesReply {
  std::vector<TableSpec> tables;  // none before the workers have agreed on them
};

// In the order of the envelope's union.
using MessageKinds =
    std::variant<Hello, Welcome, Refusal, Heartbeat, HeartbeatReply, MapRequest, MapUpdate, DeclareTables,
                 TablesReady, Pull, PullReply, Push, PushReply, GetRows, GetRowsReply, WorkerReady,
                 WorkRequest, WorkGrant, NoWork, WorkProgress, WorkProgressReply, WorkDone, WorkDoneReply,
                 Snapshot, SnapshotReply, Restore, RestoreReply, StatusRequest, StatusReply, StopJob,
                 JobEnded, TablesRequest, TablesReply, Replicate, ReplicateReply, ShardChunk, ShardChunkReply,
                 LearnersReady, PromiseRequest, Promise, HandOver, HandedOver, ChangeServers,
                 ChangeServersReply, TraceRequest, TraceReply>;

// Any of them. A class of its own so that copying, moving and destroying forty kinds is compiled once.
struct Message : MessageKinds {
  using MessageKinds::MessageKinds;
  Message();
  Message(const Message& other);
  Message(Message&& other) noexcept;
  Message& operator=(const Message& other);
  Message& operator=(Message&& other) noexcept;
  ~Message();
};

// The message's kind for logs and counters: "push_reply".
std::string_view message_name(const Message& message);

}  // namespace capstan
