// Linear's schema, executed by graphql-js: linear.js SCHEMA.  It validates and answers; it keeps nothing.
'use strict';
const fs = require('fs');
const http = require('http');
const {buildSchema, graphql} = require('graphql');

// The search, which the extract of the schema lacks; from the documentation.
const search = `
extend type Query { issues(filter: IssueFilter, first: Int): IssueConnection! }
extend type Issue { state: WorkflowState! }
type WorkflowState { id: ID!, name: String!, type: String! }
type IssueConnection { nodes: [Issue!]! }
input NullableStringComparator { contains: String, eq: String }
input IssueFilter { description: NullableStringComparator }
`;
const schema = buildSchema(fs.readFileSync(process.argv[2], 'utf8') + search);
const issue = {id: '9c0e', identifier: 'OPS-7', title: 'T', url: 'https://linear.app/x/issue/OPS-7',
    state: {id: 's', name: 'Todo', type: 'unstarted'}};
const root = {
    issue: () => issue,
    issues: ({filter}) => ({nodes: filter.description.contains ? [issue] : []}),
    issueCreate: () => ({success: true, issue, lastSyncId: 1}),
    issueUpdate: () => ({success: true, issue, lastSyncId: 1}),
    commentCreate: () => ({success: true, comment: {id: 'c', body: '', createdAt: '', url: ''}, lastSyncId: 1}),
};

const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', async () => {
        const answer = (status, value) => {
            response.writeHead(status, {'Content-Type': 'application/json'});
            response.end(JSON.stringify(value));
        };
        if (!request.headers.authorization) return answer(401, {errors: [{message: 'no key'}]});
        try {
            const {query, variables} = JSON.parse(Buffer.concat(parts).toString());
            const result = await graphql({schema, source: query, rootValue: root, variableValues: variables});
            answer(200, result); // also with errors, as the original does
        } catch (error) {
            answer(400, {errors: [{message: String(error)}]});
        }
    });
});
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
