// Job: the one job of a scheduler, from waiting for nodes to done or failed. Decisions are the pure classes'
// (JobPlan, WorkList, placement, Cut); this class journals them, sends what follows from them and takes in
// what nodes report.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/message.h"
#include "common/shared_folder.h"
#include "common/sketch_size.h"
#include "common/storage.h"
#include "scheduler/cut.h"
#include "scheduler/direct_streams.h"
#include "scheduler/errands.h"
#include "scheduler/job_facts.h"
#include "scheduler/job_plan.h"
#include "scheduler/journal.h"
#include "scheduler/manifest.h"
#include "scheduler/map_ledger.h"
#include "scheduler/membership.h"
#include "scheduler/moves.h"
#include "scheduler/options.h"
#include "scheduler/peers.h"
#include "scheduler/rebuild.h"
#include "scheduler/shard_loads.h"
#include "scheduler/stragglers.h"
#include "scheduler/work_list.h"

namespace capstan {

// What a job borrows from its scheduler.
struct JobContext {
  EventLoop& loop;
  Storage& storage;
  Journal& journal;
  const Log& log;
  const SchedulerOptions& options;
  Membership& membership;
  Peers& peers;
};

// Handlers named on_<message> return the answer, if there is one.
class Job {
 public:
  using EndHandler = std::function<void(bool ok, const std::string& text)>;  // runs once

  Job(const JobContext& context, EndHandler on_end);

  // Reads the journal or a checkpoint as the start mode says, raises and journals the generation.
  Status start();

  // Journals a node that is new or was replaced, before it is welcomed. False: the journal failed, and so did
  // the job.
  bool remember(const Node& node);
  void on_greeted(const Node& node, Greeting::Outcome outcome);  // it has been welcomed
  void on_lease_ended(const Node& node);
  void on_heartbeat(const Node& node, const Heartbeat& heartbeat);
  // While rebuilding() nobody is welcomed, and servers are asked for their maps: the answer of one. It may
  // end the rebuilding.
  void hear_of_shards(const Hello& hello, const MapUpdate& map);
  bool rebuilding() const { return rebuild_.has_value(); }
  void tick();  // several times a lease
  // The scheduler heard nobody for so long because it stood still itself: that was no silence of others.
  void spare(Duration stood_still);

  void on_worker_ready(const Node& node, const WorkerReady& ready);
  Message on_work_request(const Node& node, const WorkRequest& request);
  Message on_work_progress(const Node& node, const WorkProgress& progress);
  Message on_work_done(const Node& node, const WorkDone& done);
  void on_tables_ready(const Node& node, std::uint64_t request_id, const TablesReady& ready);
  void on_learners_ready(const Node& node, const LearnersReady& ready);
  void on_handed_over(const Node& node, const HandedOver& handed);
  ChangeServersReply change_servers(const ChangeServers& wish);
  void on_restore_reply(const Node& node, std::uint64_t request_id, const RestoreReply& reply);
  void on_snapshot_reply(const Node& node, std::uint64_t request_id, const SnapshotReply& reply);
  // Ends the job; with `checkpoint` after a cut, if there is something to keep and it succeeds soon.
  void stop(const std::string& reason, bool checkpoint);

  // Whether the loss of all copies of a shard would not end the job.
  bool may_go_back() const;

  bool drains(NodeId server) const { return draining_.contains(server); }
  std::uint32_t servers_wanted() const { return servers_wanted_; }
  std::uint32_t replicas_wanted() const { return options().config.cluster.replicas; }
  struct OpenMove {
    std::uint32_t shard = 0;
    NodeId from = 0, to = 0;
    bool copied = false;  // the shard is handed over
  };
  std::vector<OpenMove> open_moves() const;
  const ShardLoads& loads() const { return loads_; }

  bool ended() const { return ended_; }
  // The journal failed: this scheduler has to stop, and the job goes on without it.
  bool halted() const { return halted_; }
  // Because another scheduler leads, or may.
  bool replaced() const { return replaced_; }
  // Ends this scheduler, not the job; kRefused: another leads.
  void halt(const Error& why);
  // It goes on with nothing that was before: for nodes that live since then it is a stranger.
  bool began_anew() const { return began_anew_; }
  // Whoever was welcomed since the run began is in its journal: it went on from no checkpoint and no servers'
  // word.
  bool knows_everybody() const { return !goes_on_; }
  // Halts as one that should not have begun anew beside `node`, and leaves the journal as it was.
  void give_way(const std::string& node);
  bool gives_way() const { return !gives_way_to_.empty(); }
  const JobFacts& facts() const { return facts_; }
  std::uint32_t run_began() const { return run_began_; }
  const MapLedger& map() const { return map_; }
  const WorkList& work() const { return work_; }
  const DirectStreams& direct_streams() const { return direct_; }
  // What the job waits for, or does, in words. O(nodes).
  std::string waits_for() const;
  // Mean of an example in the running pass; until it has examples, and afterwards, in the last one; NaN:
  // none.
  double loss() const;
  std::uint64_t examples_so_far() const;  // trained, over all passes
  // Over all passes: batches; in sync one of each partition is a step.
  std::uint64_t steps_so_far() const;
  // Slices of pushes that were acknowledged to whoever held their stream and are meant to be in the rows as
  // they are now: those of the best pass when that was restored.
  std::uint64_t slices_acknowledged() const;
  // Folders of checkpoints that were given up. A server that was slow may write into one once more, so this
  // is done again at every checkpoint and when everybody has ended.
  // Why early stopping has nothing to go by; empty: it has, or is not asked for.
  std::string cannot_stop_early(const TablesAgreed& agreed) const;
  std::uint64_t steps_of_pass() const;
  void remove_unpublished() const;
  // The job has ended and this node's last counters did not come.
  void note_uncounted(const Node& node);

 private:
  // job_start.cc
  Status open_journal();
  void begin_generation();
  void recover(const std::vector<JournalRecord>& records);
  void take_in(const NodeGreeted& greeted);
  bool replaces_server(const NodeGreeted& greeted) const;
  void recover_work(const std::vector<JournalRecord>& records);
  bool recover_checkpoint(std::uint64_t checkpoint);
  void recover_published(const std::vector<JournalRecord>& records);
  void load_again(const std::string& directory);
  std::uint32_t default_partitions() const;
  void make_plan();

  // job_resume.cc
  Status mention_earlier_checkpoints();
  Status find_checkpoint();
  Status adopt(FoundCheckpoint found);
  void pass_over(const std::string& why);
  void fall_back(const std::string& damage, const RestoreReply& reply);
  bool take_up(FoundCheckpoint found);
  std::string cannot_use(const Manifest& manifest) const;
  std::string cannot_hold(const TablesAgreed& agreed) const;
  std::vector<JournalRecord> resume_records() const;

  // job_go_back.cc
  void lose_shards(NodeId server, const std::string& what);
  void go_back();
  Result<FoundCheckpoint> checkpoint_to_go_back_to() const;
  void give_up_phase();
  bool place_orphans(const std::set<NodeId>& lost, const std::vector<PlacementNode>& here);

  // job_rebuild.cc
  Status begin_rebuild();
  Status rebuild(const Rebuild::Found& found);
  Status find_cursors();
  void recover_streams(const std::string& directory);
  void keep_chains();

  // job_tables.cc
  void settle_tables();
  void place_shards();
  SketchRoom sketch_room() const;
  void declare_tables();
  void begin_proof_of_folder(DeclareTables& declare);
  void after_declared();

  // job.cc
  void warn(const std::string& text);  // in the log, the status and the report
  bool record(const JournalRecord& record);
  void enter(JobState state);
  void check_gathered();
  bool change_map(const std::vector<ShardEntry>& wanted, const std::set<std::uint32_t>& renewed = {});
  void carry_out();
  void finish_plan();
  void begin_pass(std::uint32_t pass);
  void end_pass();
  void send_errands();
  void tell_journals_room();
  void tell_slow_journal(Duration took);
  void finish(bool ok, const std::string& text);
  bool keeps_checkpoints() const {
    return !options().config.checkpoint.path.empty() && !options().evaluate_only;
  }
  bool stepped() const { return options().config.train.consistency != Consistency::kAsync; }
  const SchedulerOptions& options() const { return context_.options; }
  std::uint64_t next_request_id() { return ++last_request_id_; }

  // job_chains.cc
  void on_server_lost(const Node& node, const std::string& how);
  void drop_silent_servers();
  void hear_again(NodeId server);
  void move_chains(const std::vector<ShardEntry>& wanted, const std::string& why);
  void after_failover(bool primaries_moved);
  void tend_chains();
  void take_in_learners(std::vector<ShardEntry>& wanted);
  void tell_map();

  // job_moves.cc
  std::vector<PlacementNode> servers() const;
  bool may_move() const;
  bool know_their_chain(const Chain& members, const ShardEntry& entry) const;
  void move_shards(std::vector<ShardEntry>& wanted);
  void forget_moves(const std::vector<ShardEntry>& entries);
  std::vector<Move> next_moves(const std::vector<Chain>& chains, const std::vector<PlacementNode>& nodes,
                               bool quiet);
  LoadShares load_shares() const;
  void watch_memory(const Node& node);
  void watch_links(const Node& node);
  void drop_unreached();
  void watch_progress();
  void begin_handovers();
  void ask_to_hand_over();
  void give_up_handovers(Duration older_than);
  void let_go_of_drained();
  bool holds_nothing(NodeId server) const;
  std::string planned_moves(const std::vector<PlacementNode>& nodes) const;

  // job_room.cc
  MemoryRoom memory_room(const std::vector<ShardEntry>& entries) const;
  void name_learners(std::vector<ShardEntry>& wanted);
  void tell_no_room(const MemoryRoom& room);
  std::string cannot_take_over(const std::vector<PlacementNode>& nodes) const;
  std::uint64_t memory_of_new_server() const;
  std::string note_of_new_servers(const std::vector<PlacementNode>& nodes) const;

  // job_work.cc
  bool take_progress(const Node& node, const WorkCursor& cursor);
  bool split(const Node& holder, const WorkSplit& split);
  void look_for_a_straggler(const Node& idle);
  void begin_parts(bool valid);
  void begin_merge(const std::string& name, std::vector<Buffer> inputs);
  void on_items_done();
  void on_validated(std::string_view json);
  void on_reported(const Buffer& result);
  std::vector<Buffer> collect_results() const;
  std::uint32_t hold_max() const;
  void count_ready_workers();
  void check_bad_batches();
  bool is_ready(const Node& node) const;
  bool is_test(const EvaluatePart& part) const;

  // job_direct.cc
  Message grant_direct(const Node& node);
  Message close_direct(const Node& node, const WorkCursor& cursor);
  void close_silent_direct();
  TablesAgreed agreed_of_direct() const;
  bool is_direct() const;  // only direct clients train

  // job_cut.cc
  enum class CutPurpose { kAutomatic, kPassEnd, kPlan };
  CutBase base_of_cut() const;
  void begin_cut(CutPurpose purpose);
  void cut_failed(const std::string& why);
  void publish_cut();
  void count_steps_ahead(std::vector<StreamState>& streams) const;
  void tell_if_slow(const CheckpointFact& fact);
  void prune();
  bool model_is_kept() const;
  std::string how_to_go_on() const;
  void restore_from(const Manifest& manifest, const std::string& directory);
  void restore_best();
  void check_cut_due();
  void after_cut(bool ok);
  bool cut_before_going_on();
  std::vector<StreamState> streams() const;

  JobContext context_;
  EndHandler on_end_;
  bool journal_begun_ = false;
  JobFacts facts_;
  MapLedger map_;
  WorkList work_;
  DirectStreams direct_;
  Stragglers stragglers_;
  std::optional<JobPlan> plan_;            // once the tables are agreed
  PlanStep step_;                          // being carried out
  bool merging_ = false;                   // validation: the parts are done
  std::map<NodeId, WorkerReady> readies_;  // before the tables are agreed
  std::map<NodeId, std::uint64_t> ready_;  // incarnations of the workers that may get work
  std::vector<Buffer> part_results_;
  Errands errands_;
  SharedFolderProof proof_;  // that the tables were declared with
  std::uint64_t last_request_id_ = 0;
  std::optional<Rebuild> rebuild_;
  std::uint32_t rebuilt_sketch_width_ = 0;
  // Passes that the newest checkpoint of this line of work knows as finished: those that were passed over, or
  // are of an earlier run, may be further.
  std::uint32_t kept_passes_ = 0;
  std::optional<Manifest> resume_;  // to be restored before the first pass
  std::string resume_directory_;
  std::set<SectionPlace> damaged_;           // that servers found
  std::vector<StreamState> resume_streams_;  // once restored, for the pass that they belong to
  std::optional<Cut> cut_;
  Instant cut_since_{};
  bool told_slow_checkpoints_ = false;
  struct Progress {
    std::uint64_t steps = 0;
    std::optional<Instant> since{};  // no further
    bool told = false;
  } progress_;
  CutPurpose cut_purpose_ = CutPurpose::kAutomatic;
  bool cut_at_pass_end_ = false;  // a step cut was due too near the end of the pass
  CutSchedule cut_schedule_;
  Instant cut_ended_{};             // the newest one, well or not
  std::string cut_error_;           // why the newest one failed
  std::optional<Instant> stop_by_;  // a stop waits for its checkpoint until then
  std::string stop_reason_;
  Instant waiting_since_{};  // for nodes to come
  std::optional<Instant> workers_gone_since_;
  std::map<NodeId, Instant> lost_servers_;  // and since when
  // Who gets no answer from whom. Of those that stand before them in a chain: since when that holds.
  std::map<NodeId, std::set<NodeId>> unreached_;
  std::map<std::pair<NodeId, NodeId>, Instant> held_up_since_;
  std::vector<NodeId> restarted_;  // the journal ends before their loss was dealt with
  struct GoingBack {               // to a checkpoint, once a server is there
    std::string why;
    std::set<NodeId> lost;  // servers
  };
  std::optional<GoingBack> going_back_;
  std::set<NodeId> over_memory_, evicts_for_memory_;  // servers that the operator was told of
  std::map<std::uint32_t, LearnersReady::Entry> ready_learners_;
  struct Handover {  // a primary was asked to leave the shard
    std::uint64_t epoch = 0;
    Chain then;  // the chain when it has
    Instant since{};
  };
  std::map<std::uint32_t, Handover> handovers_;
  MovesBegun moves_;
  std::set<std::uint32_t> no_room_;                             // shards whose next copy fits nowhere
  std::map<std::pair<std::uint32_t, NodeId>, Instant> joined_;  // shard and member: of late, and when
  ShardLoads loads_;
  Instant swap_due_{};
  std::set<NodeId> draining_;
  std::uint32_t servers_wanted_ = 0;  // beside those that the job file asks for
  Instant learners_due_{};
  std::size_t ready_workers_ = 0;  // living ones
  std::string waits_for_;          // as of the last tick, for those who ask for work
  bool began_anew_ = false, goes_on_ = false;
  std::string gives_way_to_;           // a node that lives
  std::vector<JournalRecord> before_;  // it began anew: what the journal held
  std::uint32_t run_began_ = 0;        // generation; checkpoints of lower ones are of earlier runs
  std::uint64_t last_checkpoint_ = 0;  // numbers are never used twice
  bool kept_last_again_ = false;       // a checkpoint of the model was tried a second time
  bool trains_ = false;                // a pass was begun here
  bool ended_ = false, halted_ = false, replaced_ = false;
  bool journal_has_room_ = true;
  Instant slow_journal_told_{};
};

}  // namespace capstan
