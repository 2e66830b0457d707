// Generated from the server's OpenAPI document by `make api-types`. Do not edit.
// sha256 of its schemas: 1f676519f2bf9cdb3714b10dd88d4968fe84c2089f5322f97a7ff47911a12341

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AddedTenant: {
            name: string;
            new: boolean;
            note: string;
        };
        AlarmChange: {
            at: number;
            deliveries: components["schemas"]["WebhookAttempt"][];
            edges: components["schemas"]["AlarmEdge"][];
            end: number;
            id: string;
            nodes: components["schemas"]["AlarmNode"][];
            /** @enum {string} */
            previous: "OK" | "ALARM" | "INSUFFICIENT_DATA";
            reason: string;
            rule: string;
            start: number;
            /** @enum {string} */
            state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
            value: number | null;
        };
        AlarmDetails: {
            baseline: number;
            /** @enum {string} */
            comparison: ">=" | "<=";
            created: number;
            datapoints: number;
            history: components["schemas"]["AlarmChange"][];
            /** @enum {string} */
            kind: "metric" | "new_edge" | "vanished_edge" | "new_caller";
            last: components["schemas"]["AlarmChange"] | null;
            metric: string;
            minimum: number;
            /** @enum {string} */
            missing: "missing" | "ignore" | "breaching" | "notBreaching";
            modified: number;
            name: string;
            note: string;
            notify: ("OK" | "ALARM" | "INSUFFICIENT_DATA")[];
            periods: number;
            rule: string;
            selector: string;
            /** @enum {string} */
            state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
            threshold: number;
            version: string;
            webhooks: components["schemas"]["AlarmWebhook"][];
        };
        AlarmEdge: {
            id: string;
            source: components["schemas"]["AlarmNode"];
            target: components["schemas"]["AlarmNode"];
        };
        AlarmLine: {
            baseline: number;
            /** @enum {string} */
            comparison: ">=" | "<=";
            created: number;
            datapoints: number;
            /** @enum {string} */
            kind: "metric" | "new_edge" | "vanished_edge" | "new_caller";
            last: components["schemas"]["AlarmChange"] | null;
            metric: string;
            minimum: number;
            /** @enum {string} */
            missing: "missing" | "ignore" | "breaching" | "notBreaching";
            modified: number;
            name: string;
            note: string;
            notify: ("OK" | "ALARM" | "INSUFFICIENT_DATA")[];
            periods: number;
            rule: string;
            selector: string;
            /** @enum {string} */
            state: "OK" | "ALARM" | "INSUFFICIENT_DATA";
            threshold: number;
            version: string;
            webhooks: components["schemas"]["AlarmWebhook"][];
        };
        AlarmList: {
            alarms: components["schemas"]["AlarmLine"][];
        };
        AlarmNode: {
            id: string;
            name: string;
            type: string;
        };
        AlarmPreview: {
            fired: number[];
            from: number;
            to: number;
            values: (number | null)[];
        };
        AlarmWebhook: {
            url: string;
        };
        BackgroundWork: {
            avg_ms: number | null;
            error: number | null;
            fault: number | null;
            in_progress: number;
            observed: number;
            ok: number | null;
            p50_ms: number | null;
            p95_ms: number | null;
            p99_ms: number | null;
            requests: number | null;
            throttle: number | null;
            traces_per_min: number;
        };
        Before: {
            avg_ms: number | null;
            error: number | null;
            fault: number | null;
            ok: number | null;
            p50_ms: number | null;
            p95_ms: number | null;
            p99_ms: number | null;
            requests: number | null;
            throttle: number | null;
        };
        BoxNumbers: {
            /** @enum {string} */
            figures: "arrivals" | "work";
            members: number;
            reporting: number;
            unhealthy: components["schemas"]["Unhealthy"][];
            unhealthy_total: number;
            work: components["schemas"]["Counts"];
        };
        BoxOnTrail: {
            /** @enum {string} */
            by: "account" | "namespace" | "stack" | "prefix";
            id: string;
            name: string;
        };
        BoxesOfMap: {
            by: ("account" | "namespace" | "stack" | "prefix") | null;
            edges_left_out: number;
            trail: components["schemas"]["BoxOnTrail"][];
        };
        /** @enum {string} */
        By: "version" | "environment" | "account" | "region" | "operation" | "method" | "status" | "filter";
        ClockSkew: {
            ahead_ms: number;
            row: string;
            service: string;
        };
        ComparedBox: {
            id: string;
            name: string;
            now: components["schemas"]["ComparedFigures"] | null;
            then: components["schemas"]["ComparedFigures"] | null;
        };
        ComparedEdge: {
            id: string;
            now: components["schemas"]["ComparedFigures"] | null;
            source: string;
            source_name: string;
            target: string;
            target_name: string;
            then: components["schemas"]["ComparedFigures"] | null;
            then_id: string | null;
        };
        ComparedFigures: {
            avg_ms: number | null;
            error: number | null;
            fault: number | null;
            ok: number | null;
            p50_ms: number | null;
            p95_ms: number | null;
            p99_ms: number | null;
            requests: number | null;
            requests_per_min: number | null;
            throttle: number | null;
        };
        ComparedLine: {
            changes: components["schemas"]["SignificantChange"][];
            id: string;
            now: components["schemas"]["ComparedFigures"] | null;
            source: string;
            target: string;
            then: components["schemas"]["ComparedFigures"] | null;
        };
        ComparedNode: {
            id: string;
            /** @enum {string} */
            kind: "client" | "gateway" | "service" | "function" | "workflow" | "database" | "table" | "queue" | "topic" | "stream" | "bucket" | "remote";
            name: string;
            now: components["schemas"]["ComparedFigures"] | null;
            then: components["schemas"]["ComparedFigures"] | null;
            then_id: string | null;
            type: string;
        };
        ComparedPeriod: {
            counted: number;
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            minutes: number;
            side: string | null;
            to: number;
        };
        ComparedValue: {
            requests: number;
            value: string;
        };
        Comparison: {
            box_figures: components["schemas"]["ComparedBox"][];
            boxes: {
                [key: string]: string;
            };
            by: string | null;
            changes: components["schemas"]["SignificantChange"][];
            days: number;
            deployment: components["schemas"]["DeploymentMark"] | null;
            edges: components["schemas"]["ComparedEdge"][];
            left_out: number;
            lines: components["schemas"]["ComparedLine"][];
            nodes: components["schemas"]["ComparedNode"][];
            notes: string[];
            now: components["schemas"]["ComparedPeriod"];
            problem: string | null;
            summary: string;
            then: components["schemas"]["ComparedPeriod"];
            values: components["schemas"]["ComparedValue"][];
        };
        ComparisonReply: {
            counts: components["schemas"]["DeclaredCounts"];
            data_until: number;
            edges: components["schemas"]["DeclaredEdge"][];
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            nodes: components["schemas"]["DeclaredNode"][];
            stacks: components["schemas"]["StackLine"][];
            to: number;
            traffic_since: number | null;
        };
        Completion: {
            count: number;
            value: string | number | boolean;
        };
        CompletionList: {
            completions: components["schemas"]["Completion"][];
        };
        Counts: {
            error: number | null;
            fault: number | null;
            ok: number | null;
            requests: number | null;
            throttle: number | null;
        };
        DeclaredCounts: {
            never_seen: number;
            seen: number;
            undeclared: number;
            unknown: number;
        };
        DeclaredEdge: {
            evidence: ("policy" | "event" | "task" | "delivery" | "environment")[];
            id: string;
            source: string;
            source_name: string;
            stacks: string[];
            /** @enum {string} */
            status: "seen" | "never_seen" | "undeclared" | "unknown";
            target: string;
            target_name: string;
            why: string;
        };
        DeclaredNode: {
            account: string;
            id: string;
            ids: string[];
            /** @enum {string} */
            kind: "client" | "gateway" | "service" | "function" | "workflow" | "database" | "table" | "queue" | "topic" | "stream" | "bucket" | "remote";
            logical_id: string;
            name: string;
            region: string;
            stacks: string[];
            /** @enum {string} */
            status: "seen" | "never_seen" | "undeclared" | "unknown";
            type: string;
            why: string;
        };
        DependentNode: {
            account: string;
            /** @enum {string} */
            by: "calls" | "messages";
            hops: number;
            id: string;
            name: string;
            requests: number | null;
            share: number | null;
            through: number | null;
            type: string;
        };
        DeploymentList: {
            deployments: components["schemas"]["DeploymentMark"][];
            from: number;
            to: number;
        };
        DeploymentMark: {
            account: string;
            at: number;
            environment: string;
            id: string;
            link: string;
            note: string;
            region: string;
            service: string;
            state: string;
            version: string;
        };
        Difference: {
            filter: string;
            rest: number;
            same: string[];
            selected: number;
        };
        /** @enum {string} */
        Dimension: "version" | "environment" | "region" | "method" | "status" | "operation";
        DistinctValues: {
            field: string;
            values: number;
        };
        DoubtNumbers: {
            error: string | null;
            of: number;
            skew_ms: number | null;
            status: ("ok" | "error" | "throttle" | "fault" | "in_progress") | null;
            text: string;
            trace_id: string | null;
            /** @enum {string} */
            trust: "exact" | "skewed" | "scaled" | "sampled" | "partial";
            units: number;
        };
        EdgeDetail: {
            before: components["schemas"]["Before"] | null;
            data_until: number;
            edge: components["schemas"]["MapEdge"];
            errors: components["schemas"]["ErrorShare"][];
            filtered: components["schemas"]["Filtered"] | null;
            histogram: components["schemas"]["Figure"];
            incomplete: components["schemas"]["Incomplete"] | null;
            over_time: components["schemas"]["Figure"];
        };
        Entry: {
            name: string;
            type: string;
        };
        ErrorBody: {
            code: string;
            message: string;
            position?: number;
        };
        ErrorCount: {
            errors: number | null;
            filter: string | null;
            help: string;
            invocations: number | null;
            /** @enum {string} */
            source: "metric stream" | "platform records" | "log lines" | "spans";
        };
        ErrorProblem: {
            text: string;
            traces: string[];
        };
        ErrorReply: {
            error: components["schemas"]["ErrorBody"];
        };
        ErrorShare: {
            count: number;
            filter: string;
            label: string;
            /** @enum {string} */
            status: "ok" | "error" | "throttle" | "fault" | "in_progress";
        };
        Figure: {
            data: {
                [key: string]: unknown;
            }[];
            layout: {
                [key: string]: unknown;
            };
        };
        Filtered: {
            complete: boolean;
            traces: number;
        };
        FlowState: {
            average_ms: number | null;
            error: number;
            fault: number;
            in_progress: number;
            name: string;
            ok: number;
            requests: number;
            throttle: number;
        };
        GenAIOperation: {
            calls: number;
            calls_with_tokens: number;
            condition: string;
            cost_usd: number | null;
            input_tokens: number;
            model: string;
            operation: string;
            output_tokens: number;
            source: string;
            source_name: string;
            target: string;
            target_name: string;
            tool: string;
            type: string;
        };
        GenAIUsage: {
            complete: boolean;
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            operations: components["schemas"]["GenAIOperation"][];
            to: number;
            traces: number;
        };
        HTTPValidationError: {
            detail?: components["schemas"]["ValidationError"][];
        };
        History: {
            data_until: number;
            deployments: components["schemas"]["DeploymentMark"][];
            deployments_left_out: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            points: components["schemas"]["HistoryPoint"][];
            problems: components["schemas"]["HistoryProblem"][];
            problems_left_out: number;
            step: number;
            to: number;
            usual: components["schemas"]["UsualBand"][];
            usual_since: number | null;
        };
        HistoryPoint: {
            error: number;
            fault: number;
            p50_ms: number | null;
            p95_ms: number | null;
            requests: number;
            start: number;
            throttle: number;
        };
        HistoryProblem: {
            ended: number | null;
            id: string;
            origin: components["schemas"]["NamedNode"];
            since: number;
            text: string;
        };
        ImpactReply: {
            callees: components["schemas"]["DependentNode"][];
            callees_left_out: number;
            callers: components["schemas"]["DependentNode"][];
            callers_left_out: number;
            circle: components["schemas"]["NamedNode"][];
            counted: components["schemas"]["Span"] | null;
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            node: string;
            only_through: components["schemas"]["NamedNode"][];
            only_through_left_out: number;
            to: number;
        };
        Incomplete: {
            minutes: number;
            since: number;
        };
        IngestStatus: {
            dropped: number;
            journal_bytes: number;
            kernel_drops: number | null;
            oldest_s: number;
            queued: number;
            received: number;
            rejected: number;
            rejected_by_reason: {
                [key: string]: number;
            };
            stored: number;
        };
        InnerCounts: {
            error: number;
            fault: number;
            throttle: number;
        };
        IssuedKey: {
            access_key_id: string;
            id: string;
            secret_access_key: string;
            token: string;
        };
        KeyLine: {
            access_key_id: string;
            created: number;
            expires: number | null;
            id: string;
            limits: components["schemas"]["LimitsOfKey"] | null;
            name: string;
            revoked: number | null;
            /** @enum {string} */
            role: "ingest" | "viewer" | "editor" | "admin";
            tenant: string;
        };
        KeyList: {
            keys: components["schemas"]["KeyLine"][];
        };
        LimitsOfKey: {
            bytes_per_day?: number;
            documents_per_second?: number;
            names_per_minute?: number;
        };
        LimitsOfTenant: {
            bytes_per_day?: number;
            documents_per_second?: number;
        };
        LogLink: {
            label: string;
            segment: string | null;
            url: string;
        };
        MapEdge: {
            avg_ms: number | null;
            back: boolean;
            bends: [
                number,
                number
            ][];
            error: number | null;
            fault: number | null;
            id: string;
            in_progress: number | null;
            /** @enum {string} */
            kind: "call" | "link";
            observed: number;
            ok: number | null;
            p50_ms: number | null;
            p95_ms: number | null;
            p99_ms: number | null;
            requests: number | null;
            requests_per_min: number;
            source: string;
            target: string;
            throttle: number | null;
        };
        MapNode: {
            account: string;
            avg_ms: number | null;
            background: components["schemas"]["BackgroundWork"] | null;
            box: components["schemas"]["BoxNumbers"] | null;
            drawn_with: string | null;
            error: number | null;
            fault: number | null;
            id: string;
            in_progress: number | null;
            /** @enum {string} */
            kind: "client" | "gateway" | "service" | "function" | "workflow" | "database" | "table" | "queue" | "topic" | "stream" | "bucket" | "remote";
            location: string;
            name: string;
            names: string[];
            observed: number | null;
            ok: number | null;
            p50_ms: number | null;
            p95_ms: number | null;
            p99_ms: number | null;
            rank: number;
            region: string;
            requests: number | null;
            root: boolean;
            /** @enum {string} */
            state: "active" | "unknown";
            throttle: number | null;
            traces_per_min: number | null;
            type: string;
            unknown: number | null;
            value: string | null;
            /** @enum {string} */
            work: "requests" | "background";
            x: number;
            y: number;
        };
        MemberLine: {
            created: number;
            name: string;
            /** @enum {string} */
            role: "viewer" | "editor" | "admin";
            tenant: string;
        };
        MemberList: {
            members: components["schemas"]["MemberLine"][];
        };
        MemberPassword: {
            name: string;
            password: string;
        };
        MendingLines: {
            lines: string;
            name: string;
            sdk: string;
            source: string;
        };
        MetricChart: {
            figure: components["schemas"]["Figure"] | null;
            help: string;
            label: string;
            source: ("platform metrics" | "platform records" | "application" | "traces") | null;
            /** @enum {string} */
            stat: "Sum" | "Average" | "Maximum";
            total: number | null;
            unit: string;
        };
        MissingEdge: {
            /** @enum {string} */
            basis: "ids" | "name" | "time";
            called: string;
            callee: components["schemas"]["NamedNode"] | null;
            caller: components["schemas"]["NamedNode"] | null;
            /** @enum {string} */
            cause: "no_exit_span" | "header_not_passed" | "parent_missing" | "not_sampled" | "clock_skew" | "other_account" | "platform_record_missing" | "still_running";
            mending: components["schemas"]["MendingLines"][];
            of: number;
            other_trace_id: string | null;
            sdk: string;
            skew_ms: number | null;
            text: string;
            trace_id: string;
            units: number;
        };
        MissingReply: {
            around: number;
            around_since: number;
            causes: components["schemas"]["MissingEdge"][];
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            node: string;
            to: number;
            traces: number;
            traces_since: number;
        };
        NamedNode: {
            account: string;
            id: string;
            name: string;
            type: string;
        };
        Neighbour: {
            id: string;
            location: string;
            name: string;
            requests: number | null;
            type: string;
            value: string | null;
        };
        NodeCharts: {
            charts: components["schemas"]["MetricChart"][];
            data_until: number;
            incomplete: components["schemas"]["Incomplete"] | null;
        };
        NodeDetail: {
            before: components["schemas"]["Before"] | null;
            callees: components["schemas"]["Neighbour"][];
            callers: components["schemas"]["Neighbour"][];
            data_until: number;
            errors: components["schemas"]["ErrorShare"][];
            filtered: components["schemas"]["Filtered"] | null;
            histogram: components["schemas"]["Figure"];
            incomplete: components["schemas"]["Incomplete"] | null;
            node: components["schemas"]["MapNode"];
            over_time: components["schemas"]["Figure"];
        };
        NodeErrors: {
            counts: components["schemas"]["ErrorCount"][];
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            node: string;
            problems: components["schemas"]["ErrorProblem"][];
            to: number;
            unknown: number;
        };
        NodeVersions: {
            node: string;
            versions: components["schemas"]["VersionLine"][];
        };
        NotebookEntryLine: {
            added: number;
            at: number;
            by: string;
            expired: boolean;
            figures: components["schemas"]["NotebookFigures"] | null;
            id: string;
            /** @enum {string} */
            kind: "words" | "view" | "trace" | "problem";
            modified: number;
            path: string;
            text: string;
        };
        NotebookFigures: {
            bars: [
                number,
                number
            ][];
            columns: string[];
            depths: number[];
            edges: [
                number,
                number,
                string
            ][];
            facts: [
                string,
                string
            ][];
            is_empty: boolean;
            left_out: number;
            rows: string[][];
            states: string[];
            title: string;
        };
        NotebookLine: {
            by: string;
            created: number;
            entries: number;
            id: string;
            modified: number;
            revision: number;
            title: string;
        };
        NotebookList: {
            most: number;
            notebooks: components["schemas"]["NotebookLine"][];
        };
        NotebookReply: {
            by: string;
            created: number;
            entries: components["schemas"]["NotebookEntryLine"][];
            id: string;
            modified: number;
            most: number;
            revision: number;
            title: string;
        };
        OpenEnds: {
            calls: number;
            node: string;
            requests: number;
        };
        OperationLine: {
            avg_ms: number | null;
            error: number | null;
            fault: number | null;
            in_progress: number;
            named: boolean;
            observed: number;
            ok: number | null;
            operation: string;
            p50_ms: number | null;
            p95_ms: number | null;
            p99_ms: number | null;
            requests: number | null;
            share: number;
            throttle: number | null;
        };
        OperationNumbers: {
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            node: string;
            operations: components["schemas"]["OperationLine"][];
            to: number;
            /** @enum {string} */
            work: "requests" | "background";
        };
        PathPiece: {
            from_ms: number;
            row: string | null;
            to_ms: number;
        };
        Picture: {
            edges: components["schemas"]["MapEdge"][];
            nodes: components["schemas"]["MapNode"][];
        };
        PinList: {
            pins: components["schemas"]["PinnedTrace"][];
        };
        PinMark: {
            at: number;
            note: string;
        };
        PinnedTrace: {
            at: number;
            id: string;
            note: string;
        };
        PlaceList: {
            accounts: string[];
            data_until: number;
            environments: components["schemas"]["ValueCount"][];
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            regions: string[];
            to: number;
        };
        PlaceTrust: {
            doubts: components["schemas"]["DoubtNumbers"][];
            id: string;
            name: string;
            /** @enum {string} */
            trust: "exact" | "skewed" | "scaled" | "sampled" | "partial";
        };
        ProblemChange: {
            at: number;
            /** @enum {string} */
            kind: "deployment" | "edge";
            what: string;
        };
        ProblemException: {
            name: string;
            new: boolean;
            read: number;
            traces: number;
        };
        ProblemLine: {
            callers: components["schemas"]["NamedNode"][];
            changes: components["schemas"]["ProblemChange"][];
            clients: components["schemas"]["ProblemRequests"];
            ended: number | null;
            entries: components["schemas"]["NamedNode"][];
            exception: components["schemas"]["ProblemException"] | null;
            failures_begin_at: components["schemas"]["NamedNode"] | null;
            id: string;
            /** @enum {string} */
            measure: "fault" | "error" | "throttle" | "p50" | "p90" | "p99" | "drop" | "surge";
            muted_until: number | null;
            now: number;
            origin: components["schemas"]["NamedNode"];
            /** @enum {string} */
            origin_from: "traces" | "counts";
            requests: components["schemas"]["ProblemRequests"];
            series: components["schemas"]["ProblemSeries"] | null;
            since: number;
            source: components["schemas"]["NamedNode"] | null;
            /** @enum {string} */
            state: "active" | "closed";
            text: string;
            traces: string;
            updated: number;
            usual: number;
        };
        ProblemList: {
            from: number;
            judged_until: number | null;
            minutes_counted: number;
            minutes_needed: number;
            problems: components["schemas"]["ProblemLine"][];
            to: number;
        };
        ProblemRequests: {
            fault: number;
            ok: number;
            total: number;
        };
        ProblemSeries: {
            start: number;
            step: number;
            values: (number | null)[];
        };
        RawSegment: {
            Document: {
                [key: string]: unknown;
            };
            Id: string;
        };
        RawTrace: {
            left_out: number;
            raw: components["schemas"]["RawSegment"][];
        };
        SavedViewLine: {
            by: string;
            created: number;
            modified: number;
            name: string;
            /** @enum {string} */
            page: "map" | "traces" | "compare";
            path: string;
            query: string;
            revision: number;
        };
        SavedViewList: {
            most: number;
            views: components["schemas"]["SavedViewLine"][];
        };
        ServerSettings: {
            groups: components["schemas"]["SettingGroup"][];
            version: string;
        };
        ServerStatus: {
            detail: string;
            has_traces: boolean;
            ingest: components["schemas"]["IngestStatus"];
            problems: string[];
            ready: boolean;
            unhealthy: components["schemas"]["UnhealthyThresholds"];
            version: string;
        };
        ServiceHit: {
            drawn: boolean;
            error: number | null;
            fault: number | null;
            id: string;
            in_progress: number | null;
            /** @enum {string} */
            kind: "client" | "gateway" | "service" | "function" | "workflow" | "database" | "table" | "queue" | "topic" | "stream" | "bucket" | "remote";
            location: string;
            name: string;
            observed: number | null;
            ok: number | null;
            requests: number | null;
            throttle: number | null;
            type: string;
            unknown: number | null;
        };
        ServiceList: {
            services: components["schemas"]["ServiceHit"][];
            total: number;
        };
        ServiceMap: {
            boxes: components["schemas"]["BoxesOfMap"] | null;
            data_until: number;
            edges: components["schemas"]["MapEdge"][];
            filtered: components["schemas"]["Filtered"] | null;
            from: number;
            generated_at: number;
            group_by: ("version" | "environment" | "region" | "method" | "status" | "operation") | null;
            has_traces: boolean;
            incomplete: components["schemas"]["Incomplete"] | null;
            left_out: number;
            nodes: components["schemas"]["MapNode"][];
            open_ends: components["schemas"]["OpenEnds"][];
            placed_later: number;
            problems: string[];
            state_counts: components["schemas"]["StateCounts"];
            to: number;
            total_nodes: number;
        };
        ServiceTime: {
            path_ms: number;
            rows: number;
            self_ms: number;
            service: string;
        };
        SettingGroup: {
            settings: components["schemas"]["SettingLine"][];
            title: string;
        };
        SettingLine: {
            help: string;
            name: string;
            /** @enum {string} */
            source: "default" | "file" | "environment" | "option" | "database";
            unset: string;
            value: string;
        };
        SignificantChange: {
            follows: string | null;
            id: string;
            /** @enum {string} */
            measure: "fault" | "error" | "throttle" | "p50" | "p90" | "rate" | "new" | "vanished";
            name: string;
            now: number;
            p: number;
            text: string;
            then: number;
            /** @enum {string} */
            trend: "failing" | "working" | "slower" | "faster" | "more" | "less" | "new" | "vanished";
            /** @enum {string} */
            unit: "share" | "ms" | "per minute" | "per request";
        };
        SinglePoint: {
            account: string;
            id: string;
            name: string;
            only_through: number;
            requests_lost: number;
            type: string;
        };
        Span: {
            from: number;
            to: number;
        };
        StackLine: {
            account: string;
            calls: number;
            declared_at: number;
            environment: string;
            notes: string[];
            region: string;
            resources: number;
            stack: string;
            template: string;
        };
        StackList: {
            stacks: components["schemas"]["StackLine"][];
        };
        StateCounts: {
            error: number;
            fault: number;
            ok: number;
            throttle: number;
            unknown: number;
        };
        StateList: {
            complete: boolean;
            data_until: number;
            executions: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            node: string;
            states: components["schemas"]["FlowState"][];
            to: number;
            traces: number;
            transitions: components["schemas"]["StateTransition"][];
        };
        StateTransition: {
            count: number;
            source: string | null;
            target: string | null;
        };
        StatsDimension: {
            name: string;
            traces: number | null;
        };
        StatsDimensions: {
            dimensions: components["schemas"]["StatsDimension"][];
            from: number;
            metrics: string[];
            most: number;
            /** @enum {string} */
            of: "traces" | "requests";
            to: number;
        };
        StatsGroup: {
            filter: string | null;
            metrics: {
                [key: string]: number | null;
            };
            points: components["schemas"]["StatsPoint"][];
            status: string;
            traces: number;
            values: (string | number | boolean | null)[];
        };
        StatsPoint: {
            metrics: {
                [key: string]: number | null;
            };
            start: number;
            traces: number;
        };
        StatsReply: {
            bound: ("traces" | "seconds" | "groups") | null;
            by: string[];
            complete: boolean;
            counted_from: number;
            examined: number;
            from: number;
            groups: components["schemas"]["StatsGroup"][];
            groups_total: number;
            metrics: string[];
            /** @enum {string} */
            of: "traces" | "requests";
            step: number | null;
            to: number;
            total: components["schemas"]["StatsTotal"];
        };
        StatsTotal: {
            metrics: {
                [key: string]: number | null;
            };
            traces: number;
        };
        StructureReply: {
            circles: components["schemas"]["NamedNode"][][];
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            single_points: components["schemas"]["SinglePoint"][];
            single_points_left_out: number;
            to: number;
        };
        TenantLine: {
            bytes: number | null;
            created: number | null;
            default: boolean;
            deleting: boolean;
            documents: number | null;
            last_day: number | null;
            limits: components["schemas"]["LimitsOfTenant"] | null;
            name: string;
            traces: number | null;
        };
        TenantList: {
            tenants: components["schemas"]["TenantLine"][];
        };
        TestDeliveries: {
            deliveries: components["schemas"]["TestDelivery"][];
        };
        TestDelivery: {
            delivered: boolean;
            error: string;
            url: string;
        };
        TraceDetail: {
            clocks: components["schemas"]["ClockSkew"][];
            code: number | null;
            critical_path: components["schemas"]["PathPiece"][];
            documents: {
                [key: string]: {
                    [key: string]: unknown;
                };
            };
            duration_ms: number;
            entry: components["schemas"]["Entry"] | null;
            id: string;
            inner: components["schemas"]["InnerCounts"];
            left_out: number;
            map: components["schemas"]["Picture"];
            masked: {
                [key: string]: number;
            };
            method: string | null;
            partial: boolean;
            pin: components["schemas"]["PinMark"] | null;
            response_ms: number | null;
            rows: components["schemas"]["TraceRow"][];
            segments: number;
            services: components["schemas"]["ServiceTime"][];
            start: number;
            /** @enum {string} */
            status: "ok" | "error" | "throttle" | "fault" | "in_progress";
            url: string | null;
            user: string | null;
            w3c_id: string;
        };
        TraceDifferences: {
            attributes: components["schemas"]["Difference"][];
            distinct: components["schemas"]["DistinctValues"][];
            rest: number;
            selected: number;
            words: string;
        };
        TraceFigure: {
            counted_all: boolean;
            data: {
                [key: string]: unknown;
            }[];
            layout: {
                [key: string]: unknown;
            };
            shown: number;
            total: number;
        };
        TraceHead: {
            code: number | null;
            duration_ms: number;
            entry: components["schemas"]["Entry"] | null;
            id: string;
            inner: components["schemas"]["InnerCounts"];
            method: string | null;
            partial: boolean;
            response_ms: number | null;
            start: number;
            /** @enum {string} */
            status: "ok" | "error" | "throttle" | "fault" | "in_progress";
            url: string | null;
            user: string | null;
        };
        TraceLine: {
            annotations: {
                [key: string]: (string | number | boolean)[];
            };
            code: number | null;
            duration_ms: number;
            entry: components["schemas"]["Entry"] | null;
            id: string;
            inner: components["schemas"]["InnerCounts"];
            method: string | null;
            partial: boolean;
            response_ms: number | null;
            segments: number;
            services: string[];
            start: number;
            /** @enum {string} */
            status: "ok" | "error" | "throttle" | "fault" | "in_progress";
            status_there: ("ok" | "error" | "throttle" | "fault" | "in_progress") | null;
            units_there: number | null;
            url: string | null;
            user: string | null;
        };
        TraceList: {
            matching_units: number | null;
            next: string | null;
            sorted: components["schemas"]["Filtered"] | null;
            total: number | null;
            traces: components["schemas"]["TraceLine"][];
        };
        TraceLogEntry: {
            account: string;
            id: string;
            log_group: string;
            log_stream: string;
            /** @enum {string} */
            record: "" | "init" | "start" | "end" | "report" | "access" | "execution";
            region: string;
            request_id: string;
            segment: string | null;
            service: string;
            /** @enum {string} */
            severity: "" | "trace" | "debug" | "info" | "warn" | "error" | "fatal";
            source: string;
            text: string;
            time: number;
            trace_id: string;
        };
        TraceLogs: {
            left_out: number;
            lines: components["schemas"]["TraceLogEntry"][];
            links: components["schemas"]["LogLink"][];
        };
        TraceRow: {
            code: number | null;
            depth: number;
            duration_ms: number | null;
            exception: string;
            id: string;
            /** @enum {string} */
            kind: "segment" | "subsegment" | "inferred";
            name: string;
            namespace: string;
            parent: string | null;
            service: string;
            start_ms: number;
            /** @enum {string} */
            status: "ok" | "error" | "throttle" | "fault" | "in_progress";
            type: string;
        };
        TrustReply: {
            data_until: number;
            edges: components["schemas"]["PlaceTrust"][];
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            nodes: components["schemas"]["PlaceTrust"][];
            to: number;
            traces: number;
            traces_since: number;
        };
        TypicalTrace: {
            compared: number;
            id: string;
            median_ms: number | null;
            trace: components["schemas"]["TraceHead"] | null;
        };
        Unhealthy: {
            failed: number;
            fault: number;
            id: string;
            name: string;
            requests: number;
        };
        UnhealthyThresholds: {
            count: number;
            share: number;
        };
        UsualBand: {
            /** @enum {string} */
            basis: "weeks" | "yesterday" | "hour";
            end: number;
            fault_share: number;
            minutes: number;
            p95_high_ms: number | null;
            p95_low_ms: number | null;
            requests_high: number;
            requests_low: number;
            start: number;
        };
        ValidationError: {
            ctx?: Record<string, never>;
            input?: unknown;
            loc: (string | number)[];
            msg: string;
            type: string;
        };
        ValueCount: {
            traces: number;
            value: string | number | boolean;
        };
        VersionLine: {
            avg_ms: number | null;
            error: number | null;
            fault: number | null;
            first: number;
            in_progress: number;
            last: number;
            named: boolean;
            observed: number;
            ok: number | null;
            p50_ms: number | null;
            p95_ms: number | null;
            p99_ms: number | null;
            requests: number | null;
            share: number;
            throttle: number | null;
            version: string;
        };
        VersionList: {
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            node: string;
            to: number;
            versions: components["schemas"]["VersionLine"][];
        };
        VersionsByNode: {
            data_until: number;
            from: number;
            incomplete: components["schemas"]["Incomplete"] | null;
            nodes: components["schemas"]["NodeVersions"][];
            to: number;
        };
        WebhookAttempt: {
            at: number | null;
            attempts: number;
            error: string;
            /** @enum {string} */
            status: "waiting" | "failed" | "delivered" | "expired" | "removed";
            url: string;
        };
        XRayCreateGroupRequest: {
            FilterExpression?: string;
            GroupName: string;
            InsightsConfiguration?: components["schemas"]["XRayInsightsConfiguration"];
            Tags?: components["schemas"]["XRayTag"][];
        };
        XRayCreateGroupResult: {
            Group?: components["schemas"]["XRayGroup"];
        };
        XRayCreateSamplingRuleRequest: {
            SamplingRule: components["schemas"]["XRaySamplingRule"];
            Tags?: components["schemas"]["XRayTag"][];
        };
        XRayCreateSamplingRuleResult: {
            SamplingRuleRecord?: components["schemas"]["XRaySamplingRuleRecord"];
        };
        XRayDeleteGroupRequest: {
            GroupARN?: string;
            GroupName?: string;
        };
        XRayDeleteGroupResult: Record<string, never>;
        XRayDeleteSamplingRuleRequest: {
            RuleARN?: string;
            RuleName?: string;
        };
        XRayDeleteSamplingRuleResult: {
            SamplingRuleRecord?: components["schemas"]["XRaySamplingRuleRecord"];
        };
        XRayError: {
            Message: string;
            ResourceName?: string;
            __type: string;
        };
        XRayGetGroupsRequest: {
            NextToken?: string;
        };
        XRayGetGroupsResult: {
            Groups?: components["schemas"]["XRayGroupSummary"][];
            NextToken?: string;
        };
        XRayGetSamplingRulesRequest: {
            NextToken?: string;
        };
        XRayGetSamplingRulesResult: {
            NextToken?: string;
            SamplingRuleRecords?: components["schemas"]["XRaySamplingRuleRecord"][];
        };
        XRayGetSamplingStatisticSummariesRequest: {
            NextToken?: string;
        };
        XRayGetSamplingStatisticSummariesResult: {
            NextToken?: string;
            SamplingStatisticSummaries?: components["schemas"]["XRaySamplingStatisticSummary"][];
        };
        XRayGroup: {
            FilterExpression?: string;
            GroupARN?: string;
            GroupName?: string;
            InsightsConfiguration?: components["schemas"]["XRayInsightsConfiguration"];
        };
        XRayGroupSummary: {
            FilterExpression?: string;
            GroupARN?: string;
            GroupName?: string;
            InsightsConfiguration?: components["schemas"]["XRayInsightsConfiguration"];
        };
        XRayInsightsConfiguration: {
            InsightsEnabled?: boolean;
            NotificationsEnabled?: boolean;
        };
        XRaySamplingRateBoost: {
            CooldownWindowMinutes: number;
            MaxRate: number;
        };
        XRaySamplingRule: {
            Attributes?: {
                [key: string]: string;
            };
            FixedRate: number;
            HTTPMethod: string;
            Host: string;
            Priority: number;
            ReservoirSize: number;
            ResourceARN: string;
            RuleARN?: string;
            RuleName?: string;
            SamplingRateBoost?: components["schemas"]["XRaySamplingRateBoost"];
            ServiceName: string;
            ServiceType: string;
            URLPath: string;
            Version: number;
        };
        XRaySamplingRuleRecord: {
            CreatedAt?: number;
            ModifiedAt?: number;
            SamplingRule?: components["schemas"]["XRaySamplingRule"];
        };
        XRaySamplingRuleUpdate: {
            Attributes?: {
                [key: string]: string;
            };
            FixedRate?: number;
            HTTPMethod?: string;
            Host?: string;
            Priority?: number;
            ReservoirSize?: number;
            ResourceARN?: string;
            RuleARN?: string;
            RuleName?: string;
            SamplingRateBoost?: components["schemas"]["XRaySamplingRateBoost"];
            ServiceName?: string;
            ServiceType?: string;
            URLPath?: string;
        };
        XRaySamplingStatisticSummary: {
            BorrowCount?: number;
            RequestCount?: number;
            RuleName?: string;
            SampledCount?: number;
            Timestamp?: number;
        };
        XRayTag: {
            Key: string;
            Value: string;
        };
        XRayUpdateGroupRequest: {
            FilterExpression?: string;
            GroupARN?: string;
            GroupName?: string;
            InsightsConfiguration?: components["schemas"]["XRayInsightsConfiguration"];
        };
        XRayUpdateGroupResult: {
            Group?: components["schemas"]["XRayGroup"];
        };
        XRayUpdateSamplingRuleRequest: {
            SamplingRuleUpdate: components["schemas"]["XRaySamplingRuleUpdate"];
        };
        XRayUpdateSamplingRuleResult: {
            SamplingRuleRecord?: components["schemas"]["XRaySamplingRuleRecord"];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
