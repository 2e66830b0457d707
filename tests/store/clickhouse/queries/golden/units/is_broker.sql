(startsWith(<type>, 'Messaging::') OR <type> IN ('AWS::Events', 'AWS::Events::EventBus', 'AWS::Kinesis', 'AWS::Kinesis::Stream', 'AWS::SNS', 'AWS::SQS', 'AWS::SQS::Queue'))
