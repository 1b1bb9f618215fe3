// SPDX-License-Identifier: Apache-2.0
#include "megalith/models/record.h"

#include <gtest/gtest.h>

#include "megalith/core/problems.h"
#include "megalith/models/config_json.h"
#include "megalith/models/model_summary.h"
#include "megalith/models/structure.h"
#include "support/configs.h"
#include "support/temporary_folder.h"

namespace megalith {
namespace {

constexpr ScanConfig kPatch{.kind = ScanKind::patch, .width = 6, .height = 4, .channels = 3, .tile = 2};
constexpr ScanConfig kSplit{.kind = ScanKind::split, .sample_bytes = 2};

std::string problems_of(const RecordConfig& record) {
  Problems problems;
  record.list_problems("record", problems);
  return problems.all();
}

TEST(RecordConfig, ProblemsAreSentences) {
  EXPECT_EQ(problems_of({}), "");
  EXPECT_EQ(problems_of({72, kPatch}), "");
  EXPECT_EQ(problems_of({16, kSplit}), "");
  EXPECT_EQ(problems_of({0, {}}), "record.bytes must be from 1 to 2147483648, not 0");
  EXPECT_EQ(problems_of({Index{1} << 25, kSplit}), "record.bytes must be from 1 to 16777216, not 33554432");
  EXPECT_EQ(problems_of({70, kPatch}), "record.bytes = 70 must be the 72 bytes of a picture of 6 x 4 x 3");
  ScanConfig scan = kPatch;
  scan.tile = 4;
  EXPECT_EQ(problems_of({72, scan}), "record.scan.tile = 4 must divide the width 6 and the height 4 of the picture");
  scan.tile = scan.channels = 0;
  EXPECT_EQ(problems_of({72, scan}),
            "record.scan.channels must be from 1 to 1024, not 0; record.scan.tile must be from 1 to "
            "1048576, not 0");
  EXPECT_EQ(problems_of({15, kSplit}),
            "record.scan.sample_bytes = 2 must be so that record.bytes = 15 is two samples or "
            "more, and whole ones");
  EXPECT_NE(problems_of({2, kSplit}), "") << "it would change nothing";
  scan = kSplit;
  scan.sample_bytes = 1;
  EXPECT_EQ(problems_of({16, scan}), "record.scan.sample_bytes must be from 2 to 1024, not 1");
  scan = {.tile = 2};
  EXPECT_EQ(problems_of({16, scan}), "record.scan.tile = 2 means nothing to the scan \"none\"; leave it out");
}

TEST(RecordConfig, SuitsWindowsThatAreRecordsOrPartsOfThem) {
  EXPECT_TRUE(suits({12, {}}, 12));
  EXPECT_TRUE(suits({12, {}}, 4));
  EXPECT_TRUE(suits({12, {}}, 24));
  EXPECT_FALSE(suits({12, {}}, 8));
  EXPECT_FALSE(suits({12, {}}, 18));
  ModelConfig config = tests::config_named("megabyte");
  config.record = {12, {}};
  EXPECT_ERROR(config.validate(), "record.bytes = 12 neither divides length = 32 nor is a multiple of it");
}

TEST(ScanConfig, NamesComeBack) {
  for (const ScanConfig& scan : {ScanConfig{}, kPatch, kSplit}) EXPECT_EQ(parse_scan(to_string(scan)), scan);
  EXPECT_EQ(to_string(kPatch), "patch:6x4x3:2");
  EXPECT_EQ(to_string(kSplit), "split:2");
  for (const char* wrong :
       {"", "patch", "patch:", "patch:6x4x3", "patch:6x4:2", "patch:6x4x3:2:1", "patch:6x4x3:2 ", "patch:-6x4x3:2",
        "patch:6x4x3:99999999999999999999", "split:", "split:2x", "split:-2", "planes", "none:", ":"})
    EXPECT_ERROR((void)parse_scan(wrong), std::string("there is no scan '") + wrong + "'");
}

TEST(ScanConfig, BytesOfAPictureDoNotOverflow) {
  EXPECT_EQ(bytes_of_picture(kPatch), 72);
  EXPECT_EQ(bytes_of_picture(parse_scan("patch:4294967296x4294967296x3:1")), std::numeric_limits<Index>::max());
}

TEST(RecordConfig, InWords) {
  EXPECT_EQ(in_words(RecordConfig{}), "");
  EXPECT_EQ(in_words(RecordConfig{71, {}}), "records of 71 bytes");
  EXPECT_EQ(in_words(RecordConfig{72, kPatch}), "records of 72 bytes in the order patch:6x4x3:2");
}

TEST(RecordConfig, IsAPartOfAModelsConfig) {
  ModelConfig config = tests::config_named("megabyte");
  config.length = 72;
  config.record = {72, kPatch};
  EXPECT_EQ(config_from_json(to_json(config), "x"), config);
  EXPECT_EQ(make_summary(config)->record(), config.record);
  EXPECT_NE(in_words(config).find(", windows of 72 bytes, records of 72 bytes in the order patch:6x4x3:2"),
            std::string::npos);
  // Weights may be those of another order: a run that starts from them says so itself.
  ModelConfig raster = config;
  raster.record = {};
  EXPECT_TRUE(same_structure(config, raster));
}

}  // namespace
}  // namespace megalith
