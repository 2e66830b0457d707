// Grafana's X-Ray data source against Raymap: each of its 16 query types, with and without a text,
// over a window with traces and one without. Prints the rows of each answer; a panic is a failure.
//
//	go run . http://127.0.0.1:2000 2026-11-26T18:00:00Z 2026-11-26T18:05:00Z
//
// Analytics read up to 10,000 traces of the window, so it should be a short one.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/x-ray-datasource/pkg/client"
	"github.com/grafana/x-ray-datasource/pkg/datasource"

	"github.com/aws/aws-sdk-go-v2/service/xray"
	"github.com/grafana/grafana-aws-sdk/pkg/awsds"
)

var analytics = []string{
	datasource.QueryGetAnalyticsRootCauseResponseTimeService,
	datasource.QueryGetAnalyticsRootCauseResponseTimePath,
	datasource.QueryGetAnalyticsRootCauseErrorService,
	datasource.QueryGetAnalyticsRootCauseErrorPath,
	datasource.QueryGetAnalyticsRootCauseErrorMessage,
	datasource.QueryGetAnalyticsRootCauseFaultService,
	datasource.QueryGetAnalyticsRootCauseFaultPath,
	datasource.QueryGetAnalyticsRootCauseFaultMessage,
	datasource.QueryGetAnalyticsUrl,
	datasource.QueryGetAnalyticsUser,
	datasource.QueryGetAnalyticsStatusCode,
}

type source struct {
	instance *datasource.Datasource
	plugin   backend.PluginContext
	failures int
}

// ask runs one query as Grafana does and prints rows of its frames; the first value of the first frame.
func (s *source) ask(kind string, window backend.TimeRange, text string, more map[string]any) (first string) {
	defer func() {
		if panicked := recover(); panicked != nil {
			s.failures++
			fmt.Printf("PANIC  %-42s %v\n", kind, panicked)
		}
	}()
	query := map[string]any{"query": text, "region": "us-east-1"}
	for name, value := range more {
		query[name] = value
	}
	body, _ := json.Marshal(query)
	request := &backend.QueryDataRequest{
		PluginContext: s.plugin,
		Queries:       []backend.DataQuery{{RefID: "A", QueryType: kind, TimeRange: window, JSON: body}},
	}
	answers, err := s.instance.QueryData(context.Background(), request)
	if err == nil {
		err = answers.Responses["A"].Error
	}
	if err != nil {
		s.failures++
		fmt.Printf("ERROR  %-42s %q: %v\n", kind, text, err)
		return ""
	}
	rows := []int{}
	for _, frame := range answers.Responses["A"].Frames {
		n, _ := frame.RowLen()
		rows = append(rows, n)
		if first == "" && n > 0 {
			if value, ok := frame.Fields[0].ConcreteAt(0); ok {
				first = fmt.Sprint(value)
			}
		}
	}
	fmt.Printf("ok     %-42s %-34q rows %v  %.60q\n", kind, text, rows, first)
	return first
}

func (s *source) askEverything(window backend.TimeRange, filled bool) {
	id := s.ask(datasource.QueryGetTraceSummaries, window, "", nil)
	fault := s.ask(datasource.QueryGetTraceSummaries, window, "fault", nil)
	s.ask(datasource.QueryGetTraceSummaries, window, `service(id(name: "orders", type: "AWS::DynamoDB::Table")) { ok = true }`, nil)
	if !filled {
		id = "1-00000000-000000000000000000000000"
	}
	for _, each := range []string{id, fault} {
		if each != "" && filled {
			s.ask(datasource.QueryGetTrace, window, each, nil)
		}
	}
	s.ask(datasource.QueryGetServiceMap, window, "", map[string]any{"group": map[string]any{"GroupName": "Default"}})
	for _, text := range []string{"", `service("shop-web")`, `edge("shop-web", "shop-api/prod")`} {
		for _, resolution := range []int{60, 300} {
			s.ask(datasource.QueryGetTimeSeriesServiceStatistics, window, text, map[string]any{"resolution": resolution})
		}
	}
	for _, kind := range analytics {
		s.ask(kind, window, "", nil)
		s.ask(kind, window, "error OR fault", nil)
	}
	s.ask(datasource.QueryGetInsights, window, "", map[string]any{"state": "All", "group": map[string]any{"GroupName": "All"}})
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: go run . URL FROM TO (RFC 3339)")
		os.Exit(2)
	}
	from, err := time.Parse(time.RFC3339, os.Args[2])
	to, err2 := time.Parse(time.RFC3339, os.Args[3])
	if err = errors.Join(err, err2); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	settings, _ := json.Marshal(map[string]string{
		"authType": "keys", "defaultRegion": "us-east-1", "endpoint": os.Args[1],
	})
	instance := backend.DataSourceInstanceSettings{
		JSONData: settings,
		DecryptedSecureJSONData: map[string]string{
			"accessKey": variable("AWS_ACCESS_KEY_ID"), "secretKey": variable("AWS_SECRET_ACCESS_KEY"),
		},
	}
	made, err := datasource.NewServerInstance(context.Background(), instance)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &source{
		instance: made.(*datasource.Datasource),
		plugin:   backend.PluginContext{DataSourceInstanceSettings: &instance},
	}
	s.groups(instance)
	fmt.Println("# with traces")
	s.askEverything(backend.TimeRange{From: from, To: to}, true)
	fmt.Println("# without")
	s.askEverything(backend.TimeRange{From: from.AddDate(-1, 0, 0), To: to.AddDate(-1, 0, 0)}, false)
	fmt.Printf("%d failed\n", s.failures)
	if s.failures > 0 {
		os.Exit(1)
	}
}

// variable of the environment: a server without authentication takes any credentials.
func variable(name string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return "any"
}

// groups is what "Save & test" and the list of groups call.
func (s *source) groups(instance backend.DataSourceInstanceSettings) {
	loaded := awsds.AWSDatasourceSettings{}
	if err := loaded.Load(instance); err != nil {
		panic(err)
	}
	direct, err := client.CreateXrayClient(context.Background(), loaded, instance)
	if err != nil {
		panic(err)
	}
	found, err := direct.GetGroups(context.Background(), &xray.GetGroupsInput{})
	if err != nil {
		s.failures++
		fmt.Println("ERROR  groups", err)
		return
	}
	for _, group := range found.Groups {
		fmt.Println("group ", aws.ToString(group.GroupName), aws.ToString(group.FilterExpression))
	}
}
