#include "common/config/codecs.h"
#include "common/config/schema.h"

namespace capstan {

std::shared_ptr<const SectionSpec> cluster_schema() {
  const auto count = integer<std::uint32_t>;
  const auto milliseconds = [](Range range) { return duration(std::chrono::milliseconds(1), range); };
  constexpr double kDay = 86400;
  return SectionBuilder<ClusterConfig>()
      .key("scheduler", &ClusterConfig::scheduler, text(),
           "Where the scheduler listens, `tcp://host:port`; port 0 picks a free one.")
      .key("bind_host", &ClusterConfig::bind_host, text(), "The address that servers listen at.")
      .key("servers", &ClusterConfig::servers, count(between(1, 4096)), "Parameter-server processes.")
      .key("workers", &ClusterConfig::workers, count(between(1, 4096)), "Worker processes.")
      .key("num_shards", &ClusterConfig::num_shards, count(between(1, 65536)),
           "Slices of all tables, fixed for the job's life: a power of two, at least 16 times the most "
           "servers ever.")
      .key("replicas", &ClusterConfig::replicas, count(between(1, 8)), "Copies of each shard.")
      .key("threads", &ClusterConfig::threads, count(between(0, 1024)), "Threads of a process.")
      .default_note("0: the cores shared by the processes of a host")
      .key("memory_limit", &ClusterConfig::memory_limit, bytes(), "Memory for the rows of one server.")
      .default_note("0: 80 % of the machine's, shared by its servers")
      .key("lease", &ClusterConfig::lease_ms, milliseconds(between(0.1, kDay)),
           "A node not heard of for this long is taken for dead.")
      .key("scheduler_grace", &ClusterConfig::scheduler_grace_ms, milliseconds(between(0, kDay)),
           "How long servers go on without a scheduler.")
      .key("startup_timeout", &ClusterConfig::startup_timeout_ms, milliseconds(between(0.1, kDay)),
           "The job fails when its nodes are not there by then.")
      .key("max_frame_bytes", &ClusterConfig::max_frame_bytes, bytes(between(65536, 2147483648.0)),
           "A larger message is refused.")
      .build();
}

}  // namespace capstan
