#include "cli/launch/host_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace capstan {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::string& text) {
  const auto hosts = parse_hosts(text, "hosts.txt");
  return hosts.ok() ? "" : hosts.error().message;
}

TEST(HostList, ReadsAHostALine) {
  const auto hosts = parse_hosts(
      "# the rack\n\n10.1.0.2  scheduler workers=2\n\t10.1.0.3 servers=2 zone=left ssh=ml@gate port=2222 # "
      "new\r\n",
      "hosts.txt");
  ASSERT_TRUE(hosts.ok()) << hosts.error().message;
  ASSERT_EQ(hosts->size(), 2U);
  EXPECT_TRUE((*hosts)[0].scheduler);
  EXPECT_EQ((*hosts)[0].workers, 2U);
  EXPECT_EQ((*hosts)[0].ssh, "10.1.0.2");
  EXPECT_EQ((*hosts)[1].servers, 2U);
  EXPECT_EQ((*hosts)[1].zone, "left");
  EXPECT_EQ((*hosts)[1].ssh, "ml@gate");
  EXPECT_EQ((*hosts)[1].ssh_port, 2222U);
  EXPECT_EQ(servers_of(*hosts), 2U);
  EXPECT_EQ(workers_of(*hosts), 2U);
}

TEST(HostList, TheFirstHasTheSchedulerUnlessAnotherSaysSo) {
  EXPECT_TRUE(parse_hosts("a\nb\n", "h")->front().scheduler);
  EXPECT_FALSE(parse_hosts("a\nb scheduler\n", "h")->front().scheduler);
}

TEST(HostList, MistakesAreNamedWithTheirLine) {
  EXPECT_EQ(error_of("a\nb server=2\n"), "hosts.txt:2: there is no 'server' (did you mean 'servers'?)");
  EXPECT_THAT(error_of("a servers=two\n"), HasSubstr("hosts.txt:1: servers is a number from 0 to"));
  EXPECT_THAT(error_of("a servers\n"), HasSubstr("servers wants a value"));
  EXPECT_THAT(error_of("a scheduler=yes\n"), HasSubstr("scheduler takes no value"));
  EXPECT_THAT(error_of("servers=2 a\n"), HasSubstr("address comes first"));
  EXPECT_THAT(error_of("-oProxyCommand=x\n"), HasSubstr("address comes first"));
  EXPECT_THAT(error_of("a\nb\na\n"), HasSubstr("hosts.txt:3: a is there twice"));
  EXPECT_THAT(error_of("a port=0\n"), HasSubstr("port is a number from 1"));
  EXPECT_THAT(error_of("a zone=x/y\n"), HasSubstr("x/y"));
  EXPECT_THAT(error_of("a scheduler\nb scheduler\n"), HasSubstr("one host has the scheduler"));
  EXPECT_THAT(error_of("10.9.0.1\n\n127.0.0.1 ssh=10.9.0.2\n"),
              HasSubstr("hosts.txt:3: the other hosts do not reach 127.0.0.1"));
  EXPECT_THAT(error_of("localhost\n10.9.0.1\n"), HasSubstr("hosts.txt:1: "));
  EXPECT_EQ(error_of("127.0.0.1\n"), "") << "alone";
  EXPECT_THAT(error_of("# nobody\n"), HasSubstr("no host in it"));
}

TEST(HostList, NodesGoWhereHostsAskForThemElseInTurn) {
  const auto asked = parse_hosts("a servers=2\nb workers=3\nc scheduler servers=1\n", "h");
  const std::map<std::string, std::size_t> expected = {{"scheduler", 2}, {"ps-0", 0},     {"ps-1", 0},
                                                       {"ps-2", 2},      {"worker-0", 1}, {"worker-1", 1},
                                                       {"worker-2", 1}};
  EXPECT_EQ(place_nodes(*asked, 3, 3), expected);
  const auto any = parse_hosts("a\nb\n", "h");
  const std::map<std::string, std::size_t> turns = {
      {"scheduler", 0}, {"ps-0", 0}, {"ps-1", 1}, {"ps-2", 0}, {"worker-0", 0}};
  EXPECT_EQ(place_nodes(*any, 3, 1), turns);
}

}  // namespace
}  // namespace capstan
