// The AWS SDK for Go v2 against Raymap: it writes a trace, and reads it back in every way.
//
//	go run . http://127.0.0.1:2000
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/aws/aws-sdk-go-v2/service/xray/types"
)

func hexadecimal(bytes int) string {
	id := make([]byte, bytes)
	_, _ = rand.Read(id)
	return hex.EncodeToString(id)
}

func must(what string, err error) {
	if err != nil {
		fmt.Printf("FAILED %s: %v\n", what, err)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	api := xray.New(xray.Options{
		BaseEndpoint: aws.String(os.Args[1]),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
	start := float64(time.Now().UnixMilli())/1000 - 1
	name := "go-" + hexadecimal(4)
	id := fmt.Sprintf("1-%08x-%s", int(start), hexadecimal(12))
	document := fmt.Sprintf(`{"trace_id":%q,"id":%q,"name":%q,"start_time":%f,"end_time":%f,"fault":true,
		"annotations":{"client":"go"},"http":{"request":{"method":"GET","url":"http://go/"},"response":{"status":500}}}`,
		id, hexadecimal(8), name, start, start+0.25)
	put, err := api.PutTraceSegments(ctx, &xray.PutTraceSegmentsInput{TraceSegmentDocuments: []string{document, "{}"}})
	must("PutTraceSegments", err)
	fmt.Printf("PutTraceSegments: unprocessed %d (%s)\n",
		len(put.UnprocessedTraceSegments), aws.ToString(put.UnprocessedTraceSegments[0].ErrorCode))

	from, to := aws.Time(time.Now().Add(-5*time.Minute)), aws.Time(time.Now().Add(time.Minute))
	filter := fmt.Sprintf("service(%q) { fault } AND annotation.client = \"go\"", name)
	var found []types.TraceSummary
	for attempt := 0; attempt < 100 && len(found) == 0; attempt++ {
		time.Sleep(100 * time.Millisecond)
		pages := xray.NewGetTraceSummariesPaginator(api, &xray.GetTraceSummariesInput{
			StartTime: from, EndTime: to, FilterExpression: &filter,
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			must("GetTraceSummaries", err)
			found = append(found, page.TraceSummaries...)
		}
	}
	if len(found) != 1 || aws.ToString(found[0].Id) != id {
		must("GetTraceSummaries", fmt.Errorf("%d summaries", len(found)))
	}
	fmt.Printf("GetTraceSummaries %s: 1, duration %.3f s, fault %t, causes %d\n",
		filter, aws.ToFloat64(found[0].Duration), aws.ToBool(found[0].HasFault), len(found[0].FaultRootCauses))

	traces, err := api.BatchGetTraces(ctx, &xray.BatchGetTracesInput{TraceIds: []string{id}})
	must("BatchGetTraces", err)
	fmt.Printf("BatchGetTraces: %d trace, %d segment\n", len(traces.Traces), len(traces.Traces[0].Segments))
	single, err := api.GetTraceGraph(ctx, &xray.GetTraceGraphInput{TraceIds: []string{id}})
	must("GetTraceGraph", err)
	fmt.Printf("GetTraceGraph: %d services\n", len(single.Services))
	// The graph is counted some time after a trace is found: half a second, or more on a busy machine.
	drawn := false
	for attempt := 0; attempt < 100 && !drawn; attempt++ {
		graph, err := api.GetServiceGraph(ctx, &xray.GetServiceGraphInput{StartTime: from, EndTime: to})
		must("GetServiceGraph", err)
		for _, service := range graph.Services {
			drawn = drawn || aws.ToString(service.Name) == name
		}
		time.Sleep(100 * time.Millisecond)
	}
	fmt.Printf("GetServiceGraph: %t\n", drawn)
	series, err := api.GetTimeSeriesServiceStatistics(ctx, &xray.GetTimeSeriesServiceStatisticsInput{
		StartTime: from, EndTime: to, EntitySelectorExpression: aws.String(fmt.Sprintf("service(%q)", name)),
	})
	must("GetTimeSeriesServiceStatistics", err)
	total := int64(0)
	for _, point := range series.TimeSeriesServiceStatistics {
		total += aws.ToInt64(point.ServiceSummaryStatistics.TotalCount)
	}
	fmt.Printf("GetTimeSeriesServiceStatistics: %d\n", total)

	configuration(ctx, api, name)
}

// configuration writes a group and a sampling rule, and reads the named errors.
func configuration(ctx context.Context, api *xray.Client, name string) {
	made, err := api.CreateGroup(ctx, &xray.CreateGroupInput{GroupName: &name, FilterExpression: aws.String("fault")})
	must("CreateGroup", err)
	groups, err := api.GetGroups(ctx, &xray.GetGroupsInput{})
	must("GetGroups", err)
	_, err = api.DeleteGroup(ctx, &xray.DeleteGroupInput{GroupARN: made.Group.GroupARN})
	must("DeleteGroup", err)
	fmt.Printf("groups: %d while it existed\n", len(groups.Groups))

	rule := types.SamplingRule{
		RuleName: &name, ResourceARN: aws.String("*"), Priority: aws.Int32(7), FixedRate: 0.5, ReservoirSize: 3,
		ServiceName: aws.String("*"), ServiceType: aws.String("*"), Host: aws.String("*"),
		HTTPMethod: aws.String("*"), URLPath: aws.String("*"), Version: aws.Int32(1),
	}
	_, err = api.CreateSamplingRule(ctx, &xray.CreateSamplingRuleInput{SamplingRule: &rule})
	must("CreateSamplingRule", err)
	now := time.Now()
	targets, err := api.GetSamplingTargets(ctx, &xray.GetSamplingTargetsInput{
		SamplingStatisticsDocuments: []types.SamplingStatisticsDocument{{
			RuleName: &name, ClientID: aws.String(hexadecimal(12)), Timestamp: &now, RequestCount: 9, SampledCount: 5,
		}},
	})
	must("GetSamplingTargets", err)
	fmt.Printf("GetSamplingTargets: rate %.2f\n", targets.SamplingTargetDocuments[0].FixedRate)
	_, err = api.DeleteSamplingRule(ctx, &xray.DeleteSamplingRuleInput{RuleName: &name})
	must("DeleteSamplingRule", err)

	var invalid *types.InvalidRequestException
	_, err = api.GetTraceSummaries(ctx, &xray.GetTraceSummariesInput{
		StartTime: &now, EndTime: aws.Time(now.Add(time.Minute)), FilterExpression: aws.String("responstime > 1"),
	})
	if !errors.As(err, &invalid) {
		must("InvalidRequestException", fmt.Errorf("got %w", err))
	}
	fmt.Printf("InvalidRequestException: %s\n", aws.ToString(invalid.Message))
	var missing *types.ResourceNotFoundException
	_, err = api.ListTagsForResource(ctx, &xray.ListTagsForResourceInput{
		ResourceARN: aws.String("arn:aws:xray:us-east-1:000000000000:group/none/AAAA"),
	})
	if !errors.As(err, &missing) {
		must("ResourceNotFoundException", fmt.Errorf("got %w", err))
	}
	fmt.Printf("ResourceNotFoundException: %s\n", aws.ToString(missing.Message))
}
