// Simulated processes that push by themselves, and an account of what each has pushed: every batch has a bit
// of its own in each row it touches.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/scenario.h"
#include "worker/train/direct_client.h"

namespace capstan {

inline constexpr std::uint32_t kBits = Ledger::kBitsPerFloat;
inline constexpr std::uint32_t kKeysOfBatch = 4;
inline constexpr std::uint64_t kOurs = 0x7079;  // no key of the ledger is made from it

// Batch n of a client has a bit of its own in each of four rows, which the batches beside it share.
inline std::vector<Key> keys_of(std::uint64_t client, std::uint64_t batch, std::uint32_t num_shards) {
  std::vector<Key> keys;
  for (std::uint32_t i = 0; i < kKeysOfBatch; ++i) keys.push_back(combine(kOurs, client, batch / kBits, i));
  sort_for_wire(keys, num_shards);
  return keys;
}

// What a client has done so far, over its death.
struct Account {
  std::uint64_t begun = 0, acknowledged = 0;
  bool closed = false;
  std::string end;
};

// Pushes so many batches, waits for them and leaves.
class Pusher {
 public:
  Pusher(SimNode& node, const SimCluster& cluster, std::uint64_t number, std::uint64_t batches,
         std::shared_ptr<Account> account)
      : number_(number),
        batches_(batches),
        account_(std::move(account)),
        rng_(combine(number, batches)),
        client_(node.loop(), node.transport(), Log::silent(), options(node, cluster, number),
                {.on_ready = [this] { push(); },
                 .on_end = [this](bool, bool, const std::string& text) { account_->end = text; }}),
        pause_(node.loop()) {
    EXPECT_TRUE(client_.start().ok());
  }

  static DirectOptions options(const SimNode& node, const SimCluster& cluster, std::uint64_t number) {
    DirectOptions options;
    options.name = node.name();
    options.job_id = "sim";
    options.scheduler = cluster.scheduler_endpoints();
    options.incarnation = 1000 + number;
    return options;
  }

 private:
  void push() {
    if (account_->begun == batches_) return leave();
    const std::uint64_t batch = account_->begun++;
    StepTable table;
    table.keys = keys_of(number_, batch, client_.num_shards());
    const std::uint32_t dim = client_.tables()[0].dim;
    table.gradients.resize(table.keys.size() * dim);
    for (std::size_t i = 0; i < table.keys.size(); ++i) {
      table.gradients[i * dim] = -1.0F;
      table.gradients[i * dim + 1] = -static_cast<float>(1U << (batch % kBits));
    }
    while (client_.tables()[table.table].name != "ledger") ++table.table;
    client_.push({table}, [this](const Status& taken) {
      if (!taken.ok()) return;
      client_.flush([this, done = account_->begun](const Status& flushed) {
        if (flushed.ok()) account_->acknowledged = std::max(account_->acknowledged, done);
      });
      pause_.start(std::chrono::milliseconds(rng_.below(60)), [this] { push(); });
    });
  }
  void leave() {
    client_.close([this](const Status& closed) { account_->closed = closed.ok(); });
  }

  std::uint64_t number_, batches_;
  std::shared_ptr<Account> account_;
  Rng rng_;
  DirectClient client_;
  Timer pause_;
};

// Reads rows, and ends the job.
class Reader {
 public:
  Reader(SimNode& node, const SimCluster& cluster, std::vector<Key> keys)
      : keys_(std::move(keys)),
        client_(node.loop(), node.transport(), Log::silent(), Pusher::options(node, cluster, 999),
                {.on_ready = [this] { read(); },
                 .on_end = [this](bool job_ended, bool ok,
                                  const std::string&) { job_ended_ = job_ended && ok; }}) {
    EXPECT_TRUE(client_.start().ok());
  }
  bool done() const { return done_; }
  bool job_ended() const { return job_ended_; }
  DirectClient& client() { return client_; }
  std::map<Key, std::pair<float, float>> rows;  // how many batches, and their bits

 private:
  void read() {
    sort_for_wire(keys_, client_.num_shards());
    StepTable table;
    while (client_.tables()[table.table].name != "ledger") ++table.table;
    table.keys = keys_;
    const std::uint32_t dim = client_.tables()[table.table].dim;
    client_.pull(
        table,
        [this, dim](const ShardRange& range, const float* from) {
          for (std::uint32_t i = 0; i < range.count; ++i) {
            rows[keys_[range.begin + i]] = {from[i * dim], from[i * dim + 1]};
          }
        },
        [this](const Status& read) { done_ = read.ok(); });
  }

  std::vector<Key> keys_;
  DirectClient client_;
  bool done_ = false, job_ended_ = false;
};

// A job without other work and some clients; one of them may be killed.
class DirectWorld {
 public:
  DirectWorld(std::uint64_t seed, const ClusterOptions& options, std::uint64_t clients, std::uint64_t batches)
      : cluster(seed, options), shards_(options.shape.num_shards), batches_(batches) {
    for (std::uint64_t n = 0; n < clients; ++n) {
      accounts.push_back(std::make_shared<Account>());
      nodes.push_back(&cluster.world().add_node("python-" + std::to_string(n)));
      cluster.world().start(*nodes.back(), [this, n, batches](SimNode& self) -> std::shared_ptr<void> {
        return std::make_shared<Pusher>(self, cluster, n, batches, accounts[n]);
      });
    }
  }

  bool all_closed(std::uint64_t but = ~0ULL) const {
    for (std::uint64_t n = 0; n < accounts.size(); ++n) {
      if (n != but && !accounts[n]->closed) return false;
    }
    return true;
  }
  // Two faults at once were one too many for two copies: nothing was promised beyond the last checkpoint.
  bool went_back() const {
    const auto scheduler = cluster.scheduler_process();
    if (scheduler == nullptr) return false;
    const auto& warnings = scheduler->job().facts().warnings;
    return std::any_of(warnings.begin(), warnings.end(), [](const std::string& warning) {
      return warning.find("everything goes back") != std::string::npos;
    });
  }
  bool any_given_up() const {
    return std::any_of(accounts.begin(), accounts.end(),
                       [](const auto& account) { return !account->closed && !account->end.empty(); });
  }
  // For who has to find out why.
  std::string story() const {
    std::string text = cluster.end_text();
    for (const auto& account : accounts) {
      text += "; begun " + std::to_string(account->begun) + ", acknowledged " +
              std::to_string(account->acknowledged) + (account->closed ? ", closed " : ", open ") +
              account->end;
    }
    return text;
  }
  std::shared_ptr<Reader> read(const std::string& name) {
    std::vector<Key> keys;
    for (std::uint64_t n = 0; n < accounts.size(); ++n) {
      for (std::uint64_t batch = 0; batch < batches_; batch += kBits) {
        for (const Key key : keys_of(n, batch, shards_)) keys.push_back(key);
      }
    }
    SimNode& node = cluster.world().add_node(name);
    std::shared_ptr<Reader> reader;
    cluster.world().start(node, [&, keys](SimNode& self) -> std::shared_ptr<void> {
      return reader = std::make_shared<Reader>(self, cluster, keys);
    });
    EXPECT_TRUE(cluster.world().run_until([&] { return reader->done(); }, std::chrono::seconds(120)));
    return reader;
  }
  // Every batch below `acknowledged` once, none from `begun` on, and each of those between once or not.
  std::string check(const Reader& reader) const {
    for (std::uint64_t n = 0; n < accounts.size(); ++n) {
      const Account& account = *accounts[n];
      for (std::uint64_t first = 0; first < batches_; first += kBits) {
        std::uint32_t must = 0, may = 0;
        for (std::uint32_t bit = 0; bit < kBits; ++bit) {
          must |= (first + bit < account.acknowledged ? 1U : 0U) << bit;
          may |= (first + bit < account.begun ? 1U : 0U) << bit;
        }
        for (const Key key : keys_of(n, first, shards_)) {
          const auto& [count, bits] = reader.rows.at(key);
          const auto found = static_cast<std::uint32_t>(bits);
          const std::string where = "client " + std::to_string(n) + ", batches from " + std::to_string(first);
          if (static_cast<int>(count) != std::popcount(found)) {
            return where + ": " + std::to_string(count) + " batches, of which are told apart " +
                   std::to_string(found) + " by their bits";
          }
          if ((must & ~found) != 0) return where + ": one is lost";
          if ((found & ~may) != 0) return where + ": one that was never pushed";
        }
      }
    }
    return "";
  }

  SimCluster cluster;
  std::vector<std::shared_ptr<Account>> accounts;
  std::vector<SimNode*> nodes;

 private:
  std::uint32_t shards_;
  std::uint64_t batches_;
};

inline ClusterOptions direct_options(std::uint64_t seed, std::uint32_t servers, std::uint32_t replicas) {
  ClusterOptions options;
  options.shape.seed = seed;
  options.servers = servers;
  options.workers = 0;
  options.replicas = replicas;
  options.checkpoint_every_steps = 25;
  options.sim.network = unkind_network();
  return options;
}

// One of three dies, the others go on, and a fourth begins.
inline std::string one_of_some_dies(std::uint64_t seed) {
  DirectWorld world(seed, direct_options(seed, 2, 1), 4, 80);
  SimWorld& sim = world.cluster.world();
  sim.crash(*world.nodes[3], SimWorld::Crash::kProcess);
  sim.call_after(std::chrono::milliseconds(500 + 10 * static_cast<std::int64_t>(seed)), [&] {
    sim.crash(*world.nodes[0], SimWorld::Crash::kProcess);
    sim.restart(*world.nodes[3]);
  });
  sim.run_until([&] { return world.all_closed(0) || world.any_given_up(); }, std::chrono::seconds(120));
  if (!world.all_closed(0)) return "the clients do not end: " + world.story();
  return world.check(*world.read("reader"));
}

// One client comes when the other has left, and copies of messages so late that a checkpoint knows it.
inline std::string copies_come_late(std::uint64_t seed) {
  ClusterOptions options = direct_options(seed, 1, 1);
  options.checkpoint_every_steps = 2;
  options.sim.network = NetworkOptions{};
  options.sim.network.duplicate = 1.0;
  options.sim.network.slow = 0.05;
  options.sim.network.slow_max = std::chrono::seconds(5);
  DirectWorld world(seed, options, 12, 5);
  SimWorld& sim = world.cluster.world();
  for (std::size_t n = 1; n < world.nodes.size(); ++n) sim.crash(*world.nodes[n], SimWorld::Crash::kProcess);
  for (std::size_t n = 0; n < world.nodes.size(); ++n) {
    if (n > 0) sim.restart(*world.nodes[n]);
    sim.run_until([&] { return world.accounts[n]->closed || world.any_given_up(); },
                  std::chrono::seconds(300));
  }
  if (!world.all_closed()) return "the clients do not end: " + world.story();
  sim.run_for(std::chrono::seconds(5));
  return world.check(*world.read("reader"));
}

}  // namespace capstan
