// NetworkChaos: each node has a network namespace and a link of its own. Nodes are cut off, heard by nobody,
// cut off from each other and slowed down, disks get full, processes are killed and stopped.
#pragma once

#include <fstream>

#include "tests/e2e/chaos_scene.h"
#include "tests/e2e/network_lab.h"

namespace capstan {

class NetworkChaos : public ChaosScene {
 protected:
  static constexpr std::uint32_t kFaults = 6;  // the first of kinds()
  static constexpr std::uint32_t kLongestMs = 5000;
  static constexpr std::uint32_t kLongRun = 50;  // faults: in such a run kMeasured servers are lost for long
  static constexpr std::uint32_t kMeasured = 3;

  // A lost server is away for 40 s and watched for 40 more, at the full pace: up to 4000 batches a second.
  static std::uint32_t job_size() {
    constexpr std::uint32_t kSizeOfMeasured = kMeasured * 160;
    const std::uint32_t faults = faults_wanted(kFaults);
    return faults * 3 / 5 + kFaults + (faults >= kLongRun ? kSizeOfMeasured : 0);
  }
  static constexpr std::uint64_t kDiskBytes = 64 << 20;

  using Kind = std::function<Strike()>;

  // More than a million pushes with 200 faults.
  explicit NetworkChaos(std::vector<std::string> hosts = {"scheduler"})
      : ChaosScene(faults_wanted(kFaults), job_size()), hosts_(std::move(hosts)) {
    lease_ = "2s";
    every_steps_ = 300;
  }

  void SetUp() override {
    std::filesystem::create_directories(path("hosts"));
    std::vector<std::string> hosts = hosts_;
    for (std::uint32_t n = 0; n < kServers; ++n) hosts.push_back(fmt::format("ps-{}", n));
    for (std::uint32_t n = 0; n < kWorkers; ++n) hosts.push_back(fmt::format("worker-{}", n));
    auto made = NetworkLab::make(path("hosts"), hosts);
    if (!made.ok() && faults_wanted(0) == 0) GTEST_SKIP() << made.error().message;
    ASSERT_TRUE(made.ok()) << made.error().message;
    lab_ = std::move(made).value();
    for (const char* disk : {"checkpoints", "work"}) good(NetworkLab::mount_disk(path(disk), kDiskBytes));
  }

  std::string address_of(const std::string& node) const override { return lab_->address(node); }
  bool has_hosts() const override { return true; }
  std::vector<std::string> words_before(const std::string& node) const override { return lab_->on(node); }

  virtual std::string one_alike(const std::string& role) { return role; }

  static void good(const Status& done) { ASSERT_TRUE(done.ok()) << done.error().message; }

  std::string one_of(const std::string& role) {
    return role == "server" ? any_server() : role == "worker" ? any_worker() : one_alike(role);
  }

  // `begin` changes the network, which is as it was after a while.
  Strike network(const std::string& name, const std::function<void()>& begin,
                 std::uint32_t most_ms = kLongestMs) {
    return {name, [this, begin, lasts = a_while(most_ms)] {
              ASSERT_NO_FATAL_FAILURE(begin());
              watch_for(lasts);
              good(lab_->heal());
            }};
  }
  // At times so long that its connections are given up.
  Kind cut_off(const std::string& role) {
    return [this, role] {
      const auto begin = [this, node = one_of(role)] {
        good(lab_->cut(node, ""));
        good(lab_->cut("", node));
      };
      return network("cut off: a " + role, begin, faults_wanted(0) > kFaults ? 3 * kLongestMs : kLongestMs);
    };
  }
  Kind deaf(const std::string& role) {
    return [this, role] {
      return network("hears nobody: a " + role, [this, node = one_of(role)] { good(lab_->cut("", node)); });
    };
  }
  Kind mute(const std::string& role) {
    return [this, role] {
      return network("heard by nobody: a " + role,
                     [this, node = one_of(role)] { good(lab_->cut(node, "")); });
    };
  }
  Kind slow(const std::string& role) {
    return [this, role] {
      return network("slow link of a " + role,
                     [this, node = one_of(role), worse = static_cast<std::uint32_t>(rng_.below(3))] {
                       good(lab_->slow(node, worse));
                     });
    };
  }
  Kind cut_between(const std::string& role, const std::string& other_role) {
    return [this, role, other_role] {
      const std::string one = one_of(role);
      std::string other = one_of(other_role);
      while (other == one) other = one_of(other_role);
      // Both servers keep their leases: the scheduler has to take one out of their chains.
      const bool servers = role == "server" && other_role == "server";
      const auto begin = [this, one, other, servers] {
        good(lab_->cut(one, other));
        good(lab_->cut(other, one));
        if (!servers) return;
        EXPECT_TRUE(watch([&] { return status_names_a_silent_server(); }));
      };
      return network(fmt::format("cut between {} and {}", role, other_role), begin,
                     servers && faults_wanted(0) > kFaults ? 3 * kLongestMs : kLongestMs);
    };
  }
  bool status_names_a_silent_server() {
    const Outcome shown = run(with_target({"status"}));
    return shown.out.find("gets no answer from ps-") != std::string::npos;
  }
  // The only scheduler is stopped instead when it is to live.
  Kind killed(const std::string& role) {
    return [this, role] {
      const std::string node = one_to_kill(role);
      if (is_spared(node)) return stopped(role)();
      return Strike{"kill -9 of a " + role,
                    [this, node, down = a_while(kLongestMs)] { kill_and_start(node, down); }};
    };
  }
  std::string one_to_kill(const std::string& role) {
    std::string node = one_of(role);
    while (is_spared(node) && role != "scheduler") node = one_of(role);
    return node;
  }
  Kind stopped(const std::string& role) {
    return [this, role] {
      return Strike{"stop of a " + role,
                    [this, node = one_of(role), down = a_while(kLongestMs)] { stop_and_wake(node, down); }};
    };
  }

  // Takes all room there is on the disk of `folder`.
  void fill(const std::string& folder) {
    std::ofstream ballast(path(folder) + "/ballast", std::ios::binary);
    const std::string block(1 << 16, 'x');
    while (ballast.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
    }
  }
  void clear(const std::string& folder) { std::filesystem::remove(path(folder) + "/ballast"); }
  // Once more than in what it had said `before`.
  bool scheduler_says(const std::string& words, const std::string& before) {
    const std::size_t said = count(before, words);
    return watch([&] { return count(scheduler_log(), words) > said || ended(); });
  }
  static std::size_t count(const std::string& text, const std::string& words) {
    std::size_t times = 0;
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++times;
    return times;
  }

  // The last good checkpoint stays, training goes on, the operator is told.
  Strike full_checkpoints() {
    return {"full disk of the checkpoints", [this] {
              ASSERT_TRUE(scheduler_says(" bytes in ", "")) << "no checkpoint yet\n" << scheduler_log();
              const std::string log = scheduler_log();
              fill("checkpoints");
              EXPECT_TRUE(scheduler_says("No space left on device", log)) << scheduler_log();
              EXPECT_TRUE(scheduler_says("training goes on, the last good one is kept", log))
                  << scheduler_log();
              const Outcome verified = run({"checkpoint", "verify", path("checkpoints")});
              EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
              watch_for(a_while(kLongestMs));
              clear("checkpoints");
              const std::string cleared = scheduler_log();
              EXPECT_TRUE(scheduler_says(" bytes in ", cleared)) << scheduler_log();
            }};
  }
  // The journal has room of its own for a while, and the operator is told.
  Strike full_journal() {
    return {"full disk of the journal", [this] {
              const std::string log = scheduler_log();
              fill("work");
              EXPECT_TRUE(scheduler_says("the journal's disk is full", log)) << scheduler_log();
              watch_for(a_while(kLongestMs));
              clear("work");
              EXPECT_TRUE(scheduler_says("the journal's disk has room again", log)) << scheduler_log();
            }};
  }

  // Batches a second from now on.
  double rate() {
    const std::uintmax_t before = computed();
    const Clock::time_point since = Clock::now();
    watch_for(8s);
    return static_cast<double>(computed() - before) /
           std::chrono::duration<double>(Clock::now() - since).count();
  }
  // One is lost for good, as far as the others know: how fast they are ten seconds later, against what they
  // settle at.
  Strike lost_for_long() {
    return {"kill -9 of a server, away for 40 s", [this] {
              const std::string server = one_to_kill("server");
              set_pace({});
              const double before = rate();
              ASSERT_NO_FATAL_FAILURE(kill_node(server));
              watch_for(10s);
              const double after = rate();
              watch_for(12s);
              const double settled = rate();
              start_again(server);
              set_pace(4ms);
              rates_ += fmt::format(
                  "  a server lost: {:.0f} batches/s before, {:.0f} after 10 s, {:.0f} half a minute later\n",
                  before, after, settled);
            }};
  }

  virtual std::vector<Kind> kinds() {
    return {cut_off("server"),
            mute("scheduler"),
            [this] { return full_checkpoints(); },
            cut_between("server", "server"),
            slow("server"),
            [this] { return full_journal(); },
            cut_off("worker"),
            cut_off("scheduler"),
            mute("server"),
            mute("worker"),
            deaf("server"),
            deaf("worker"),
            deaf("scheduler"),
            cut_between("worker", "server"),
            cut_between("scheduler", "server"),
            cut_between("scheduler", "worker"),
            slow("worker"),
            slow("scheduler"),
            killed("server"),
            killed("worker"),
            killed("scheduler"),
            stopped("server"),
            stopped("worker"),
            stopped("scheduler")};
  }

  void run_faults(const std::string& title) {
    while (faults_wanted(0) >= kLongRun && faults_ < kMeasured)
      ASSERT_NO_FATAL_FAILURE(strike(lost_for_long()));
    std::vector<Kind> kinds = this->kinds();
    for (std::size_t n = 0; !struck_enough(kFaults); ++n) {
      const std::size_t at = n % kinds.size();
      if (at == 0 && n > 0) {  // another order each time round
        for (std::size_t i = kinds.size() - 1; i > 0; --i) std::swap(kinds[i], kinds[rng_.below(i + 1)]);
      }
      ASSERT_NO_FATAL_FAILURE(strike(kinds[at]()));
    }
    ASSERT_NO_FATAL_FAILURE(finish(
        fmt::format("{}, links (slow ones by {}) and disks, lease {}", title, lab_->slowness(), lease_)));
    std::fputs(rates_.c_str(), stdout);
  }

  std::vector<std::string> hosts_;  // besides those of servers and workers
  std::unique_ptr<NetworkLab> lab_;
  std::string rates_;
};

}  // namespace capstan
