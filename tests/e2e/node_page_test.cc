// The pages of a running job's nodes, as a scraper and a supervisor read them.
#include <filesystem>

#include "common/adapters/http_server.h"
#include "tests/e2e/scene.h"
#include "tests/http_get.h"
#include "tests/self_signed.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class NodePages : public Scene {
 protected:
  // Where the node's log says that its page is; empty: it does not yet.
  std::string place_of(const std::string& node, const std::string& scheme = "http") const {
    const std::string log = text_of(path("work/logs/" + node + ".log"));
    const std::string before = " at " + scheme + "://";
    const auto at = log.find(before);
    if (at == std::string::npos) return "";
    const auto from = at + before.size();
    return log.substr(from, log.find('/', from) - from);
  }
  double value_of(const std::string& text, const std::string& series) const {
    const auto at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1.0 : std::stod(text.substr(at + series.size() + 2));
  }
};

TEST_F(NodePages, EveryRoleTellsWhatItDoesAndWhetherItIsReady) {
  const auto run = start({"run", ratings_job("{passes: 1000, batch_size: 64}"), "--http", "127.0.0.1:0"});
  for (const char* node : {"scheduler", "ps-0", "ps-1", "worker-0", "worker-1"}) {
    ASSERT_TRUE(eventually([&] { return !place_of(node).empty(); }, kPatience)) << node << run->err();
    const std::string place = place_of(node);
    EXPECT_EQ(http_get(place, "/healthz").status, 200U) << node;
    EXPECT_TRUE(eventually([&] { return http_get(place, "/readyz").status == 200; }, kPatience)) << node;
    const HttpGot metrics = http_get(place, "/metrics");
    EXPECT_EQ(metrics.status, 200U) << node;
    EXPECT_THAT(metrics.content_type, HasSubstr("version=0.0.4"));
    EXPECT_EQ(http_get(place, "/no-such-page").status, 404U);
  }
  const auto metrics = [&](const char* node) { return http_get(place_of(node), "/metrics").body; };
  EXPECT_TRUE(
      eventually([&] { return value_of(metrics("scheduler"), "capstan_examples_total") > 0; }, kPatience));
  EXPECT_TRUE(eventually(
      [&] { return value_of(metrics("ps-0"), "capstan_ps_push_slices_total{outcome=\"applied\"}") > 0; },
      kPatience));
  EXPECT_THAT(metrics("scheduler"), AllOf(HasSubstr("capstan_job_state{state=\"running\"} 1"),
                                          HasSubstr("capstan_node_up{node=\"ps-1\",role=\"ps\"} 1")));
  for (const char* name : {"capstan_ps_bytes", "capstan_ps_push_streams"})
    EXPECT_TRUE(eventually([&] { return value_of(metrics("ps-1"), name) > 0; }, kPatience)) << name;
  EXPECT_THAT(metrics("ps-1"), AllOf(ContainsRegex("capstan_ps_rows\\{table=\"[a-z_.]+\"\\} [1-9]"),
                                     HasSubstr("capstan_ps_request_seconds_count{stage=\"pull_answered\"}")));
  EXPECT_TRUE(eventually(
      [&] { return value_of(metrics("worker-0"), "capstan_worker_pull_seconds_count") > 0; }, kPatience));
  const std::string scheduler = place_of("scheduler");
  const auto status = boost::json::parse(http_get(scheduler, "/status").body).as_object();
  EXPECT_EQ(status.at("shards").as_array().size(), 256U);
  EXPECT_THAT(std::string(status.at("job_text").as_string()), HasSubstr("batch_size: 64"));
  EXPECT_TRUE(eventually(
      [&] {
        const auto history = boost::json::parse(http_get(scheduler, "/history").body);
        return history.at("points").as_array().size() >= 2;
      },
      kPatience));
  // Servers tell every five seconds what is pulled most.
  EXPECT_TRUE(eventually(
      [&] {
        const auto now = boost::json::parse(http_get(scheduler, "/status").body);
        const auto& hot = now.at("hot_keys").as_array();
        return !hot.empty() && !hot[0].at("table").as_string().empty() &&
               hot[0].at("rows_per_second").to_number<double>() > 0;
      },
      kPatience));
  const HttpGot page = http_get(scheduler, "/");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, HasSubstr("page.js"));
  EXPECT_EQ(http_get(scheduler, "/page.js").status, 200U);
  EXPECT_EQ(http_get(place_of("ps-0"), "/").status, 404U);
  run->signal(SIGINT);
  EXPECT_EQ(run->wait(kPatience), 1);
}

TEST_F(NodePages, AreServedOverHttpsWithACertificate) {
  const TlsFiles files = make_certificate(path(), "page", 1);
  const auto run =
      start({"CAPSTAN_HTTP_CERT=" + files.certificate, "CAPSTAN_HTTP_KEY=" + files.key, capstan_binary(),
             "run", ratings_job("{passes: 1000, batch_size: 64}"), "--http", "127.0.0.1:0"},
            "/usr/bin/env");
  for (const char* node : {"scheduler", "ps-0", "worker-0"}) {
    ASSERT_TRUE(eventually([&] { return !place_of(node, "https").empty(); }, kPatience)) << run->err();
    const std::string place = place_of(node, "https");
    EXPECT_EQ(https_get(place, "/metrics", files.certificate).status, 200U) << node;
    EXPECT_EQ(http_get(place, "/metrics").status, 400U) << node;
  }
  run->signal(SIGINT);
  EXPECT_EQ(run->wait(kPatience), 1);
}

TEST_F(NodePages, ACertificateWithoutItsKeyIsAMistake) {
  const auto run = start({"CAPSTAN_HTTP_CERT=page.pem", capstan_binary(), "run",
                          ratings_job("{passes: 1, batch_size: 64}"), "--http", "127.0.0.1:0"},
                         "/usr/bin/env");
  EXPECT_EQ(run->wait(kPatience), 1);
  EXPECT_THAT(run->err(), HasSubstr("CAPSTAN_HTTP_CERT and CAPSTAN_HTTP_KEY belong together"));
}

TEST_F(NodePages, ACertificateThatCannotBeReadIsNamedWithItsVariable) {
  const auto run = start({"CAPSTAN_HTTP_CERT=/nope", "CAPSTAN_HTTP_KEY=/nope.key", capstan_binary(), "run",
                          ratings_job("{passes: 1, batch_size: 64}"), "--http", "127.0.0.1:0"},
                         "/usr/bin/env");
  EXPECT_EQ(run->wait(kPatience), 1);
  EXPECT_THAT(run->err(), AllOf(HasSubstr("CAPSTAN_HTTP_CERT names a file"), HasSubstr("/nope: No such")));
}

TEST_F(NodePages, ATakenPortIsNamedBeforeAnythingStarts) {
  const auto holder = HttpServer::start("127.0.0.1:0", {}, [](const std::string&, const auto&) {});
  ASSERT_TRUE(holder.ok()) << holder.error().message;
  const std::string taken = (*holder)->place();
  const Outcome second = run({"run", ratings_job("{passes: 1, batch_size: 64}"), "--http", taken});
  EXPECT_EQ(second.code, 2) << second.out;
  EXPECT_THAT(second.err, AllOf(HasSubstr(taken), HasSubstr("stop it, or choose another port")));
  EXPECT_FALSE(std::filesystem::exists(path("work/logs/scheduler.log")));
  const Outcome few = run({"run", ratings_job("{passes: 1, batch_size: 64}"), "--http", "127.0.0.1:65534"});
  EXPECT_EQ(few.code, 2) << few.out;
  EXPECT_THAT(few.err, HasSubstr("port 65534 leaves 2 ports for 5 nodes: choose one below 65532"));
}

TEST_F(NodePages, TopShowsTheStatusAgainAndAgain) {
  const auto run = start({"run", ratings_job("{passes: 1000, batch_size: 64}")});
  std::string endpoint;
  ASSERT_TRUE(
      eventually([&] { return !(endpoint = text_of(path("work/scheduler.endpoint"))).empty(); }, kPatience));
  const auto top = [&](const std::string& every) {
    return this->run({"top", "--scheduler", endpoint, "--job", job(), "--every", every, "--count", "2"});
  };
  const Outcome twice = top("100ms");
  EXPECT_EQ(twice.code, 0) << twice.err;
  const auto first = twice.out.find("job " + job());
  EXPECT_NE(first, std::string::npos) << twice.out;
  EXPECT_NE(twice.out.find("job " + job(), first + 1), std::string::npos) << twice.out;
  EXPECT_EQ(twice.out.find('\x1b'), std::string::npos) << "a file is no terminal";
  const Outcome wrong = top("soon");
  EXPECT_NE(wrong.code, 0);
  EXPECT_THAT(wrong.err, HasSubstr("such as 2s"));
  run->signal(SIGINT);
  EXPECT_EQ(run->wait(kPatience), 1);
}

TEST_F(NodePages, AServerIsReadyWhileItsLeaseHolds) {
  const auto run = start({"run", ratings_job("{passes: 1000, batch_size: 64}"), "--http", "127.0.0.1:0"});
  ASSERT_TRUE(eventually([&] { return !place_of("ps-0").empty(); }, kPatience)) << run->err();
  ASSERT_TRUE(eventually([&] { return http_get(place_of("ps-0"), "/readyz").status == 200; }, kPatience));
  const auto scheduler = find("scheduler");
  kill(*scheduler, SIGSTOP);
  EXPECT_TRUE(eventually([&] { return http_get(place_of("ps-0"), "/readyz").status == 503; }, kPatience))
      << "its lease has ended";
  EXPECT_EQ(http_get(place_of("ps-0"), "/healthz").status, 200U) << "it lives";
  kill(*scheduler, SIGCONT);
  EXPECT_TRUE(eventually([&] { return http_get(place_of("ps-0"), "/readyz").status == 200; }, kPatience));
  run->signal(SIGINT);
  EXPECT_EQ(run->wait(kPatience), 1);
}

}  // namespace
}  // namespace capstan
