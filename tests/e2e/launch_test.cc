// `capstan launch` on four hosts: network namespaces with an address and an sshd each.
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <regex>

#include "tests/e2e/network_lab.h"
#include "tests/e2e/scene.h"

namespace capstan {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kSshd = "/usr/sbin/sshd";
const std::vector<std::string> kHosts = {"one", "two", "three", "four"};

class Launch : public Scene {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(kSshd) || std::system("command -v ssh >/dev/null") != 0)
      GTEST_SKIP() << "no ssh here: apt-get install openssh-server openssh-client";
    for (const char* folder : {"hosts", "home"}) std::filesystem::create_directories(path(folder));
    auto made = NetworkLab::make(path("hosts"), kHosts);
    if (!made.ok()) GTEST_SKIP() << made.error().message;
    lab_ = std::move(made).value();
    std::filesystem::create_directories("/run/sshd");
    for (const char* key : {"host_key", "own_key"})
      ASSERT_EQ(std::system(fmt::format("ssh-keygen -q -t ed25519 -N '' -f {}", path(key)).c_str()), 0);
    for (const std::string& host : kHosts) start_sshd(host);
  }

  // As a user's ssh would be set up, but for a folder of its own.
  void start_sshd(const std::string& host) {
    const std::string config =
        write(host + ".sshd", fmt::format(R"(ListenAddress {0}
HostKey {1}/host_key
AuthorizedKeysFile {1}/own_key.pub
PidFile none
StrictModes no
UsePAM no
SetEnv {2}={3} HOME={1}/home
)",
                                          lab_->address(host), path(), kTagVariable, job()));
    std::vector<std::string> words = lab_->on(host);
    const std::string program = words.front();
    words.erase(words.begin());
    words.insert(words.end(), {kSshd, "-D", "-e", "-f", config});
    sshds_.push_back(start(words, program));
    ASSERT_TRUE(eventually([&] { return sshds_.back()->err().find("Server listening") != std::string::npos; },
                           kPatience))
        << sshds_.back()->err();
  }
  void TearDown() override {
    for (const auto& sshd : sshds_) {
      sshd->signal(SIGTERM);
      sshd->wait(kPatience);
    }
  }

  std::string hosts_file(const std::vector<std::string>& more) const {
    std::string text = "# four hosts\n";
    for (std::size_t n = 0; n < more.size(); ++n) text += lab_->address(kHosts[n]) + " " + more[n] + "\n";
    return write("hosts.txt", text);
  }
  std::vector<std::string> words(const std::string& job_file, const std::string& hosts,
                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"launch",
                                    job_file,
                                    "--hosts",
                                    hosts,
                                    "--program",
                                    capstan_binary(),
                                    "--ssh",
                                    fmt::format("ssh -i {}/own_key -o BatchMode=yes -o ConnectTimeout=3 "
                                                "-o ServerAliveInterval=1 -o ServerAliveCountMax=3 -o "
                                                "StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
                                                "-o LogLevel=ERROR",
                                                path())};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  // The hosts have no capstan, and one home, as on a shared disk.
  std::vector<std::string> copied(const std::string& job_file, const std::string& hosts,
                                  const std::vector<std::string>& more) const {
    std::vector<std::string> all = words(job_file, hosts, more);
    const auto program = std::find(all.begin(), all.end(), "--program");
    *program = "--copy";
    all.erase(program + 1);
    return all;
  }
  std::vector<std::string> secured(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--set", "cluster.security=curve", "--set", "cluster.replicas=2"});
    return more;
  }
  // On a host of the four, which a cut parts from the others.
  std::unique_ptr<Process> start_on(const std::string& host, const std::vector<std::string>& args) {
    std::vector<std::string> all = lab_->on(host);
    const std::string program = all.front();
    all.erase(all.begin());
    all.push_back(capstan_binary());
    all.insert(all.end(), args.begin(), args.end());
    return start(all, program);
  }
  bool trains(Process& run) {
    return eventually(
        [&] { return run.ended() || std::regex_search(run.out(), std::regex("pass ([2-9]|\\d{2,})/")); },
        kPatience);
  }
  // But for the machines' sshds.
  bool no_node_is_left() {
    return eventually(
        [&] {
          for (const char* name : {"scheduler", "ps-0", "ps-1", "ps-2", "worker-0", "worker-1"}) {
            if (find(name).has_value()) return false;
          }
          return true;
        },
        kPatience);
  }

  std::unique_ptr<NetworkLab> lab_;
  std::vector<std::unique_ptr<Process>> sshds_;
};

const std::vector<std::string> kSpread = {"scheduler workers=1", "servers=1 zone=left",
                                          "servers=1 zone=right", "servers=1 workers=1"};

TEST_F(Launch, TrainsOnSeveralHostsWithKeysAndLeavesNothing) {
  const std::string file = ratings_job("{passes: 20, batch_size: 64}");
  const Outcome done = run(words(file, hosts_file(kSpread), secured()));
  EXPECT_EQ(done.code, 0) << done.err << done.out;
  EXPECT_THAT(done.out, HasSubstr(fmt::format("{}: ps-0\n", lab_->address("two"))));
  EXPECT_THAT(done.out, HasSubstr(fmt::format("{}: ps-2, worker-1\n", lab_->address("four"))));
  EXPECT_TRUE(no_node_is_left());
  const auto report = json("report.json");
  EXPECT_EQ(at(report, "state"), "done");
  EXPECT_EQ(at(report, "servers").as_array().size(), 3U);
  const std::string logs = text_of(path("work/logs/all.log"));
  EXPECT_THAT(logs, HasSubstr(fmt::format("{} ps-1 | ", lab_->address("three"))));
  EXPECT_THAT(logs, HasSubstr(fmt::format("ps-0 is here (tcp://{}:", lab_->address("two"))));
  struct stat secret {};
  ASSERT_EQ(stat(path("work/keys/server.key").c_str(), &secret), 0);
  EXPECT_EQ(secret.st_mode & 077U, 0U) << "others may read it";
}

TEST_F(Launch, GoesOnWhenAHostIsCutOff) {
  const std::string file = ratings_job("{passes: 900, batch_size: 64}");
  const auto launched = start_on("one", words(file, hosts_file(kSpread), secured()));
  ASSERT_TRUE(trains(*launched)) << launched->err() << launched->out();
  ASSERT_TRUE(lab_->cut("three", "").ok());
  ASSERT_TRUE(lab_->cut("", "three").ok());
  const std::string lost = fmt::format("ps-1 on {} ended", lab_->address("three"));
  const auto tells = [&] { return launched->ended() || launched->err().find(lost) != std::string::npos; };
  EXPECT_TRUE(eventually(tells, kPatience)) << launched->err();
  EXPECT_FALSE(launched->ended().has_value()) << "the job was to last longer";
  ASSERT_TRUE(lab_->heal().ok());
  EXPECT_EQ(launched->wait(3 * kPatience), 0) << launched->err() << launched->out();
  EXPECT_EQ(at(json("report.json"), "state"), "done");
  EXPECT_EQ(number_at(json("report.json"), "pushes.lost"), 0.0);
  EXPECT_TRUE(no_node_is_left());
}

TEST_F(Launch, CtrlCStopsAllHosts) {
  const std::string file =
      ratings_job("{passes: 3000, batch_size: 64}", "checkpoint: {path: " + path("kept") + "}");
  const auto launched = start(words(file, hosts_file(kSpread), secured()));
  ASSERT_TRUE(trains(*launched)) << launched->err() << launched->out();
  launched->signal(SIGINT);
  EXPECT_EQ(launched->wait(kPatience), 1) << launched->err();
  EXPECT_THAT(launched->err(), HasSubstr("--resume"));
  EXPECT_TRUE(no_node_is_left());
}

// Its ssh processes end with it, and with each of them the node at its other end.
TEST_F(Launch, AKilledLauncherLeavesNothing) {
  const std::string file = ratings_job("{passes: 3000, batch_size: 64}");
  const auto launched = start(words(file, hosts_file(kSpread), secured()));
  ASSERT_TRUE(trains(*launched)) << launched->err() << launched->out();
  launched->signal(SIGKILL);
  launched->wait(kPatience);
  const Outcome stopped = run(words(file, hosts_file(kSpread), {"--stop"}));
  EXPECT_NE(stopped.code, 0) << "no keys, no leave to go without";
  const Outcome again = run(words(file, hosts_file(kSpread), secured({"--stop"})));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("nodes ended"));
  EXPECT_TRUE(no_node_is_left());
}

TEST_F(Launch, ACopyOfTheProgramRunsOnHostsWithoutIt) {
  const std::string file = ratings_job("{passes: 3000, batch_size: 64}");
  const std::string hosts = hosts_file(kSpread);
  const Outcome shown = run(copied(file, hosts, secured({"--dry-run"})));
  EXPECT_THAT(shown.out, HasSubstr("/.cache/capstan/capstan-"));
  EXPECT_TRUE(std::filesystem::is_empty(path("home"))) << "a dry run";

  const auto launched = start(copied(file, hosts, secured()));
  ASSERT_TRUE(trains(*launched)) << launched->err() << launched->out();
  const auto files = std::filesystem::directory_iterator(path("home/.cache/capstan"));
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
  const Outcome stopped = run(copied(file, hosts, secured({"--stop"})));
  EXPECT_EQ(stopped.code, 0) << stopped.err;
  EXPECT_THAT(stopped.out, ContainsRegex("[1-9] nodes ended"));
  launched->signal(SIGINT);
  EXPECT_NE(launched->wait(kPatience), 0);
  EXPECT_TRUE(no_node_is_left());
}

TEST_F(Launch, StopTellsOfAHostThatDoesNotAnswer) {
  const std::string hosts = write("hosts.txt", lab_->address("one") + "\n10.99.0.77\n");
  const Outcome stopped = run(words(ratings_job("{passes: 1}"), hosts, secured({"--stop"})));
  EXPECT_EQ(stopped.code, 1);
  EXPECT_THAT(stopped.out, HasSubstr(lab_->address("one") + ": 0 nodes ended"));
  EXPECT_THAT(stopped.err, HasSubstr("10.99.0.77: cannot stop nodes"));
}

TEST_F(Launch, WrongSetUpsAreNamedBeforeAnythingStarts) {
  const std::string file = ratings_job("{passes: 1}");
  const auto hosts = [&](const std::string& text) { return write("hosts.txt", text); };
  const auto refused = [&](const std::vector<std::string>& all, const std::string& why) {
    const Outcome outcome = run(all);
    EXPECT_EQ(outcome.code, 2) << outcome.out;
    EXPECT_THAT(outcome.err, HasSubstr(why));
  };
  refused(words(file, hosts(lab_->address("one") + "\n" + lab_->address("two") + " server=2\n"), secured()),
          "hosts.txt:2: there is no 'server' (did you mean 'servers'?)");
  refused(words(file, hosts_file({"", ""})), "cluster.security");
  refused(words(file, path("none.txt"), secured()), "docs/HOSTS.md");
  refused(words(file, hosts("10.99.0.77\n"), secured()), "ssh cannot reach 10.99.0.77");
  auto elsewhere = words(file, hosts_file({"", ""}), secured());
  elsewhere[5] = "/no/such/capstan";
  refused(elsewhere, "has no capstan");
  auto folder = words(file, hosts_file({"", ""}), secured({"--folder", "/no/such/folder"}));
  refused(folder, "/no/such/folder");
  auto no_ssh = words(file, hosts_file({"", ""}), secured());
  no_ssh[7] = "/no/such/ssh -x";
  refused(no_ssh, "the ssh program '/no/such/ssh' cannot be run");
  auto no_capstan = words(file, hosts_file({"", ""}), secured());
  no_capstan[5] = "/bin/ls";
  refused(no_capstan, "--program names there is no capstan");
  refused(words(file, hosts_file(kSpread), secured({"--http", "65534"})), "port 65534 leaves 2 ports for");
  refused(
      words(file, hosts(lab_->address("one") + "\n127.0.0.1 ssh=" + lab_->address("two") + "\n"), secured()),
      "hosts.txt:2: the other hosts do not reach 127.0.0.1");
  EXPECT_TRUE(no_node_is_left());
}

TEST_F(Launch, AFolderThatCannotBeWrittenThereIsNamed) {
  std::vector<std::string> all = words(ratings_job("{passes: 1}"), hosts_file({"", ""}),
                                       secured({"--folder", "/proc", "--set", "work_dir=out"}));
  all.insert(all.begin(), {"-C", path(), capstan_binary()});
  const auto launched = start(all, "/usr/bin/env");
  EXPECT_EQ(launched->wait(kPatience), 2) << launched->out();
  EXPECT_THAT(launched->err(), HasSubstr("--folder DIR"));
}

TEST_F(Launch, ATakenPageIsNamedBeforeAnythingStarts) {
  const std::string file = ratings_job("{passes: 1}");
  const std::string taken = lab_->address("two") + ":9101";
  const auto holder = start_on("two", {"scheduler", ratings_job("{passes: 1}"), "--bind", "tcp://" + taken,
                                       "--insecure", "--set", "work_dir=" + path("other")});
  ASSERT_TRUE(eventually([&] { return holder->err().find(" at tcp://") != std::string::npos; }, kPatience))
      << holder->err();
  const Outcome refused = run(words(file, hosts_file(kSpread), secured({"--http", "9100"})));
  EXPECT_EQ(refused.code, 2) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr(taken + ": Address already in use"));
  EXPECT_FALSE(std::filesystem::exists(path("work/logs/scheduler.log")));
  holder->signal(SIGTERM);
  holder->wait(kPatience);
}

TEST_F(Launch, ADryRunPrintsEveryCommandAndStartsNothing) {
  const std::string file = ratings_job("{passes: 1}");
  const Outcome shown = run(words(file, hosts_file(kSpread), {"--dry-run", "--insecure"}));
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* part : {"doctor --json", "job.yaml", "tether --job", "-- scheduler", "-- ps --scheduler",
                           "-- worker --scheduler", "--zone right", "--insecure"}) {
    EXPECT_THAT(shown.out, HasSubstr(part));
  }
  EXPECT_FALSE(std::filesystem::exists(path("work/job.yaml")));
}

}  // namespace
}  // namespace capstan
