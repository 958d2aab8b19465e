// Server: what it counts, as metrics. Counters are of this process, and of shards while it leads them.
#include "common/metrics.h"

#include "common/units.h"
#include "ps/server.h"

namespace capstan {
namespace {

// done: by this process, so that counters never fall when a shard leaves.
void add_rows(const ShardStats& stats, const ShardStats& done, const std::vector<TableSpec>& tables,
              Metrics& out) {
  for (std::size_t i = 0; i < std::min(tables.size(), stats.tables.size()); ++i) {
    const Metrics::Labels table{{"table", tables[i].name}};
    out.gauge("capstan_ps_rows", "Rows held.", static_cast<double>(stats.tables[i].rows), table);
    out.gauge("capstan_ps_table_bytes", "Memory of a table: rows, index and sketches.",
              static_cast<double>(stats.tables[i].bytes), table);
    const std::uint64_t evicted = i < done.tables.size() ? done.tables[i].evicted : 0;
    out.counter("capstan_ps_rows_evicted_total", "Rows that made room or expired.",
                static_cast<double>(evicted), table);
  }
  out.gauge("capstan_ps_bytes", "Memory of all tables, copies of others' shards included.",
            static_cast<double>(stats.bytes));
  out.counter("capstan_ps_rows_evicted_for_memory_total", "Rows evicted to keep within the memory limit.",
              static_cast<double>(done.rows_squeezed));
  out.counter("capstan_ps_rows_not_admitted_total", "New rows kept out, by min_count or for want of memory.",
              static_cast<double>(done.rows_not_admitted));
  out.counter("capstan_ps_rows_pulled_total", "Rows given to workers.",
              static_cast<double>(done.rows_pulled));
  out.counter("capstan_ps_rows_pushed_total", "Gradients of rows taken in.",
              static_cast<double>(done.rows_pushed));
}

void add_pushes(const ShardStats& stats, const ShardStats& done, Metrics& out) {
  out.gauge("capstan_ps_push_streams", "Streams of batches that the shards' push windows remember.",
            static_cast<double>(stats.streams));
  out.counter("capstan_ps_push_streams_forgotten_total",
              "Streams that a published checkpoint has finished, and the windows have let go.",
              static_cast<double>(done.streams_forgotten));
  const auto slices = [&](const char* outcome, std::uint64_t count) {
    out.counter("capstan_ps_push_slices_total", "A push's parts, one a shard, by what became of them.",
                static_cast<double>(count), {{"outcome", outcome}});
  };
  slices("applied", done.pushes_applied_here);
  slices("duplicate", done.pushes_duplicate);
  slices("fenced", done.pushes_fenced);
  slices("gap", done.pushes_gap);
  slices("refused", done.pushes_refused_here);
  for (std::size_t n = 0; n < done.staleness.size(); ++n) {
    const bool last = n + 1 == done.staleness.size();
    out.counter(
        "capstan_ps_staleness_pushes_total",
        "Pushes by how many others came to the shard since their rows were pulled: fewer than `below`.",
        static_cast<double>(done.staleness[n]),
        {{"below", last ? "+Inf" : std::to_string(std::uint64_t{1} << n)}});
  }
}

}  // namespace

bool Server::ready() const {
  return loop_.now() < link_.lease_until();
}

void Server::add_metrics(Metrics& out) const {
  add_rows(stats_, done_, tables_, out);
  add_pushes(stats_, done_, out);
  std::map<ShardRole, std::uint64_t> shards{
      {ShardRole::kPrimary, 0}, {ShardRole::kMember, 0}, {ShardRole::kLearner, 0}};
  std::uint64_t unconfirmed = 0;
  for (const auto& [shard, slot] : shards_) {
    ++shards[slot.role];
    unconfirmed += slot.log.applied() - slot.log.committed();
  }
  for (const auto& [role, name] :
       {std::pair(ShardRole::kPrimary, "primary"), std::pair(ShardRole::kMember, "copy"),
        std::pair(ShardRole::kLearner, "learner")}) {
    out.gauge("capstan_ps_shards", "Shards held, by what this server is to them.",
              static_cast<double>(shards[role]), {{"role", name}});
  }
  out.gauge("capstan_ps_records_unconfirmed",
            "Records that the copies behind this server have not confirmed.",
            static_cast<double>(unconfirmed));
  out.gauge("capstan_ps_requests_taken_in", "Pulls and pushes that were taken in and are not answered yet.",
            static_cast<double>(quota_.requests()));
  out.gauge("capstan_ps_requests_taken_in_bytes", "What those take, their answers included.",
            static_cast<double>(quota_.bytes()));
  out.gauge("capstan_ps_pulls_waiting", "Pulls that wait for a step.",
            static_cast<double>(parked_pulls_.size()));
  out.gauge("capstan_ps_lease_seconds", "How long the lease still holds; negative: it has ended.",
            seconds_of(link_.lease_until() - loop_.now()));
  out.gauge("capstan_ps_memory_limit_bytes", "Memory that rows may take; 0: no limit.",
            static_cast<double>(memory_limit()));
  out.counter("capstan_ps_copies_served_total", "Slices of pulls answered as a backup.",
              static_cast<double>(copies_served_));
  out.refusals(rpc_.refused());
  constexpr const char* kServed = "From a request's arrival to the end of the stage.";
  out.histogram("capstan_ps_request_seconds", kServed, pulls_answered_, {{"stage", "pull_answered"}});
  out.histogram("capstan_ps_request_seconds", kServed, pushes_applied_, {{"stage", "push_applied"}});
  out.histogram("capstan_ps_request_seconds", kServed, pushes_answered_, {{"stage", "push_acknowledged"}});
}

}  // namespace capstan
