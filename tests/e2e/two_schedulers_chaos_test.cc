// Chaos with two schedulers and the etcd between them, each on a host of its own: whoever leads may be
// killed, stopped and cut off, and so may etcd. A scheduler that ended without the job is started again, as a
// supervisor would. CAPSTAN_CHAOS_FAULTS as in NetworkChaos.
#include "tests/e2e/etcd_process.h"
#include "tests/e2e/network_chaos.h"

namespace capstan {
namespace {

class TwoSchedulersChaos : public NetworkChaos {
 protected:
  TwoSchedulersChaos() : NetworkChaos({"etcd", "scheduler-0", "scheduler-1"}) {}

  void SetUp() override {
    if (const std::string missing = EtcdProcess::missing(); !missing.empty()) GTEST_SKIP() << missing;
    NetworkChaos::SetUp();
    if (lab_ == nullptr) return;
    etcd_ = std::make_unique<EtcdProcess>(path(), lab_->address("etcd"), lab_->on("etcd"));
    etcd_->start();
  }

  void write_two_schedulers_job() {
    write_job(train_settings(), kServers, kReplicas);
    write("job.yaml", text_of(path("job.yaml")) +
                          fmt::format("scheduler: {{store: etcd, endpoints: [{}]}}\n", etcd_->endpoint()));
  }
  void start_both() {
    for (const std::string& name : names_) start_scheduler(name);
    endpoint_ = address(names_[0]) + "," + address(names_[1]);
    for (std::uint32_t n = 0; n < kServers; ++n) start_server(fmt::format("ps-{}", n));
    for (std::uint32_t n = 0; n < kWorkers; ++n) start_worker(fmt::format("worker-{}", n));
  }
  std::string address(const std::string& node) const {
    return fmt::format("tcp://{}:7000", address_of(node));
  }
  void start_scheduler(const std::string& name) {
    past_log_ += schedulers_[name] == nullptr ? "" : schedulers_[name]->err();
    schedulers_[name] = start_node(
        name, {"scheduler", path("job.yaml"), "--recover", "--bind", address(name), "--name", name});
    down_.erase(name);
  }

  std::string one_alike(const std::string& role) override {
    return role == "scheduler" ? names_[rng_.below(2)] : role;
  }
  void kill_and_start(const std::string& node, std::chrono::milliseconds down) override {
    ASSERT_NO_FATAL_FAILURE(wait_for(node));
    if (schedulers_.contains(node)) down_.insert(node);
    NetworkChaos::kill_and_start(node, down);
  }
  void start_again(const std::string& node) override {
    schedulers_.contains(node) ? start_scheduler(node) : NetworkChaos::start_again(node);
  }
  bool ended() override {
    return std::any_of(schedulers_.begin(), schedulers_.end(),
                       [](const auto& each) { return each.second->ended() == 0; });
  }
  std::string scheduler_log() const override {
    std::string log = past_log_;
    for (const auto& [name, process] : schedulers_) log += process->err();
    return log;
  }
  void tend() override {
    for (const std::string& name : names_) {
      const auto code = schedulers_[name]->ended();
      if (code.has_value() && *code != 0 && !down_.contains(name)) start_scheduler(name);
    }
  }
  void expect_end() override {
    for (const auto& [name, process] : schedulers_) EXPECT_EQ(process->wait(kPatience), 0) << process->err();
    etcd_->kill();
    EXPECT_TRUE(all_gone());
    EXPECT_EQ(at(json("report.json"), "state"), "done");
  }

  Strike etcd_away(const std::string& name, const std::function<void()>& begin,
                   const std::function<void()>& end) {
    return {name, [this, begin, end, lasts = a_while(2 * kLongestMs)] {
              begin();
              watch_for(lasts);
              end();
            }};
  }
  std::vector<Kind> kinds() override {
    return {killed("scheduler"),
            stopped("scheduler"),
            cut_off("scheduler"),
            cut_between("scheduler", "etcd"),
            [this] {
              return etcd_away(
                  "kill -9 of etcd", [this] { etcd_->kill(); }, [this] { etcd_->start(); });
            },
            killed("server"),
            [this] {
              return etcd_away(
                  "stop of etcd", [this] { etcd_->stop(); }, [this] { etcd_->go_on(); });
            },
            cut_off("etcd"),
            mute("scheduler"),
            deaf("scheduler"),
            slow("etcd"),
            cut_between("scheduler", "server"),
            cut_between("scheduler", "worker"),
            killed("worker"),
            cut_off("server"),
            [this] { return full_checkpoints(); }};
  }

  const std::string names_[2] = {"scheduler-0", "scheduler-1"};
  std::unique_ptr<EtcdProcess> etcd_;
  std::map<std::string, std::unique_ptr<Process>> schedulers_;
  std::set<std::string> down_;  // on purpose
  std::string past_log_;
};

TEST_F(TwoSchedulersChaos, NothingAcknowledgedIsLostOrDoubled) {
  write_two_schedulers_job();
  ASSERT_NO_FATAL_FAILURE(start_both());
  ASSERT_NO_FATAL_FAILURE(train());
  run_faults("two schedulers with etcd, processes");
}

}  // namespace
}  // namespace capstan
