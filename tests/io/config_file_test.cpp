// SPDX-License-Identifier: Apache-2.0
#include "megalith/io/config_file.h"

#include <gtest/gtest.h>

#include "megalith/models/config_json.h"
#include "megalith/models/zoo.h"
#include "support/temporary_folder.h"
#include "support/version_1.h"

namespace megalith {
namespace {

TEST(ConfigFile, NamesAndFiles) {
  const TemporaryFolder folder;
  const ModelConfig& tiny = preset("megabyte-tiny").config;
  EXPECT_EQ(load_config("megabyte-tiny"), tiny);
  EXPECT_ERROR(load_config("megabyt-tiny"), "did you mean \"megabyte-tiny\"?");
  EXPECT_EQ(load_config(folder.write("my.json", to_json(tiny))), tiny);
  EXPECT_ERROR(load_config(folder / "none.json"), "cannot read");
  EXPECT_ERROR(load_config(folder.write("a.json/b", "")), "there is no model");
  EXPECT_ERROR(load_config(folder / "a.json"), "is a folder, not a file");
  EXPECT_ERROR(load_config(folder.write("broken.json", "{")), "broken.json is not valid JSON");
  EXPECT_ERROR(load_config(folder.write("large.json", std::string(17 << 20, ' '))), "too large");
  EXPECT_ERROR(load_config(folder.write("wrong.json", R"({"length":0,"scales":[{}]})")), "wrong.json: the model's config");
}

TEST(ConfigFile, AFileMayBeThatOfARun) {
  const TemporaryFolder folder;
  const auto load = [&](const std::string& text) { return load_config(folder.write("my.json", text)); };
  const ModelConfig& tiny = preset("megabyte-tiny").config;
  const std::string model = to_json(tiny), old = tests::version_1(tiny).dump();
  for (const char* version : {"1", "2"})
    EXPECT_EQ(load(text("{\"format_version\":", version, ",\"train\":{},\"model\":", model, "}")), tiny);
  EXPECT_EQ(load("{\"format_version\":1,\"train\":{},\"model\":" + old + "}"), tiny);
  EXPECT_EQ(load(old), tiny) << "without a version too";
  EXPECT_ERROR(load(R"({"format_version":1,"model":{"lenght":8,"scales":[]}})"),
               "my.json: model: the config has no field \"lenght\"; did you mean \"length\"?");
  EXPECT_ERROR(load(R"({"format_version":1,"model":7})"), "my.json: model: the config must be an object");
  EXPECT_ERROR(load(R"({"format_version":7,"library_version":"9.1","model":{"scales":[],"new":1}})"),
               "my.json has format version 7, which is newer than 2, the newest that this library reads; read it with "
               "Megalith \"9.1\"");
  // Known by the version alone, whatever a newer one holds.
  EXPECT_ERROR(load(R"({"format_version":3,"network":{}})"), "has format version 3, which is newer");
  EXPECT_ERROR(load(R"({"format_version":1})"), "my.json has no \"model\"");
  EXPECT_ERROR(config_from_json("{\"format_version\":1,\"model\":" + model + "}", "x"), "no field \"format_version\"");
}

}  // namespace
}  // namespace megalith
